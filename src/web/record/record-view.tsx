/** Where one records. */
import { PageHeader } from "../ui/page-header.tsx";

export function RecordView() {
  return <PageHeader title="Record" />;
}

/** Past sessions, and what came of them over time. */
import { PageHeader } from "../ui/page-header.tsx";

export function SessionsView() {
  return <PageHeader title="Sessions" />;
}

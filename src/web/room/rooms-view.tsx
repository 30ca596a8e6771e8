/** The rooms that one may watch. */
import { PageHeader } from "../ui/page-header.tsx";

export function RoomsView() {
  return <PageHeader title="Rooms" />;
}

/** The report of one session. */
import { PageHeader } from "../ui/page-header.tsx";

export function ReportView(_props: { readonly sessionId: string }) {
  return <PageHeader title="Report" />;
}

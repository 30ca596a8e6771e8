/** The report of one session, loaded when somebody opens the first one. */
import type { ComponentType } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Alert } from "../ui/alert.tsx";
import { Loading } from "../ui/loading.tsx";
import { PageHeader } from "../ui/page-header.tsx";

type Page = ComponentType<{ readonly sessionId: string }>;

const loaded = signal<Page | undefined>(undefined);

export function ReportView({ sessionId }: { readonly sessionId: string }) {
  const [hasFailed, setHasFailed] = useState(false);
  useEffect(() => {
    if (loaded.value) return;
    import("./report-page.tsx").then(
      ({ ReportPage }) => {
        loaded.value = ReportPage;
      },
      () => setHasFailed(true),
    );
  }, []);
  const Page = loaded.value;
  if (Page) return <Page sessionId={sessionId} />;
  return (
    <>
      <PageHeader title="Report" />
      {hasFailed ? (
        <Alert kind="danger" title="A part of the studio could not be loaded.">
          Check your connection, then reload the page.
        </Alert>
      ) : (
        <Loading>Loading the report</Loading>
      )}
    </>
  );
}

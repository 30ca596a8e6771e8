/** The live captions of everybody in a room. */
import { PageHeader } from "../ui/page-header.tsx";

export function RoomView({ roomName }: { readonly roomName: string }) {
  return <PageHeader title={roomName} />;
}

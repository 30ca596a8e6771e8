/** What rooms need of a database. Implemented in storage/. */

export type UserType = "host" | "presenter" | "guest" | "viewer";

export interface StoredRoom {
  readonly roomName: string;
  readonly ownerUserId: string;
  readonly access: "open" | "invited";
  readonly members: readonly { readonly userId: string; readonly userType: UserType }[];
  readonly createTime: Date;
}

export interface RoomStore {
  /** False when the name is taken. */
  create(room: StoredRoom): Promise<boolean>;
  get(roomName: string): Promise<StoredRoom | undefined>;
}

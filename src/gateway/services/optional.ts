/** Bridges proto3's empty values and absent ones. */

/** `{ [key]: value }`, or nothing for an empty string, a zero enum or undefined. */
export function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined || value === "" || value === 0 ? {} : ({ [key]: value } as Record<K, V>);
}

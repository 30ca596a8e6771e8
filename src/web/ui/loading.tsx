/** Says that something is on its way; shows itself only after a moment, so that what is quick does not flicker. */
export function Loading({ children }: { readonly children: string }) {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {children}
    </p>
  );
}

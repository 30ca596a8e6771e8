/** The one place from which the studio speaks to screen readers of what happens elsewhere on the page. To be used sparingly. */
import { signal } from "@preact/signals";

const message = signal("");

/** Said when the reader pauses. The same words twice are said twice. */
export function announce(words: string): void {
  message.value = message.value === words ? `${words}\u00a0` : words;
}

/** Stands in the page once, from the start: readers do not hear regions that come with their words. */
export function Announcer() {
  return (
    <p class="visually-hidden" role="status">
      {message}
    </p>
  );
}

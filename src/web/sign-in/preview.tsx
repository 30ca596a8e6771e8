/** A few words as the studio shows them, to say in a picture what it does. Nobody said them. */
export function Preview() {
  return (
    <figure class="preview">
      <blockquote aria-label="An example of captions">
        <p>
          We had two weeks left <span class="preview-pause">2.1 s</span> and, <mark>um</mark>, no one owned
          the release. So I <span class="preview-interim">asked each team for one</span>
        </p>
      </blockquote>
      <svg
        class="preview-chart"
        viewBox="0 0 320 56"
        preserveAspectRatio="none"
        role="img"
        aria-label="An example of a pace chart"
      >
        <rect x="0" y="16" width="320" height="24" />
        <path d="M0 32C24 28 38 24 60 26s40 18 64 16 34-30 60-32 36 20 58 22 44-8 78-10" />
      </svg>
      <figcaption class="hint">
        Words settle as they are recognised; the band is a comfortable pace.
      </figcaption>
    </figure>
  );
}

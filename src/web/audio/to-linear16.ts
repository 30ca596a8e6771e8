/** Samples in [-1, 1] as signed 16-bit integers; louder ones are clipped. */
export function toLinear16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const integers = new Int16Array(samples.length);
  for (let index = 0; index < samples.length; index += 1) {
    const scaled = Math.round((samples[index] ?? 0) * 32_768);
    integers[index] = Math.max(-32_768, Math.min(32_767, scaled));
  }
  return integers;
}

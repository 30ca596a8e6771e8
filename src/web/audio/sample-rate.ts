/** The one rate of sound in the studio: what is sent, kept and measured is 16-bit mono at 16 kHz. */

export const sampleRateHz = 16_000;

export const samplesPerMs = sampleRateHz / 1000;

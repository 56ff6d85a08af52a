/** Offsets of the parts of `size` that hold the rows from `first` to `last`. */
export function partsOf(first: number, last: number, size: number): number[] {
  const start = Math.floor(first / size);
  const end = Math.floor(Math.max(first, last) / size);
  return Array.from({ length: end - start + 1 }, (_, index) => (start + index) * size);
}

/** Anomalies: days with many more tokens than the median of the earlier days. */
import t from 'tap'
import { findAnomalies } from '../../../../src/tokens/usage/dashboard/anomalies.ts'

t.test('a day is compared with the median of its earlier days', (t) => {
  t.strictSame(findAnomalies([100, 90, 110, 100, 100, 3000]), [
    { index: 5, value: 3000, median: 100, factor: 30 },
  ])
  t.strictSame(findAnomalies([100, 90, 110, 120, 100, 130, 1050]), [
    { index: 6, value: 1050, median: 105, factor: 10 },
  ])
  t.end()
})

t.test('a factor below five is no anomaly', (t) => {
  t.strictSame(findAnomalies([100, 100, 100, 100, 100, 499]), [])
  t.equal(findAnomalies([100, 100, 100, 100, 100, 500]).length, 1)
  t.end()
})

t.test('small numbers are no anomalies', (t) => {
  t.strictSame(findAnomalies([1, 1, 1, 1, 1, 99]), [])
  t.match(findAnomalies([1, 1, 1, 1, 1, 100]), [{ factor: 100 }])
  t.end()
})

t.test('a new client has no anomalies until it has five days', (t) => {
  t.strictSame(findAnomalies([100, 100, 100, 100, 9000]), [])
  t.strictSame(findAnomalies([]), [])
  t.end()
})

t.test('days without tokens are not part of the median', (t) => {
  const weekly = Array.from({ length: 90 }, (_, index) => (index % 7 === 0 ? 400 : 0))
  t.strictSame(findAnomalies(weekly), [])
  t.equal(findAnomalies([...weekly, 4000]).length, 1)
  t.end()
})

t.test('a new level is no anomaly once it lasts', (t) => {
  const grown = [...Array(28).fill(100), ...Array(28).fill(1000)]
  const found = findAnomalies(grown)
  t.equal(found.length, 14)
  t.equal(found.at(-1)?.index, 41)
  t.end()
})

// Prints what hdr-histogram-js makes of a file of integers, one a line, at the quantiles given as
// further arguments: {"count", "min", "max", "quantiles": [...]}.
import { readFileSync } from "node:fs";
import { build } from "hdr-histogram-js";

const [file, ...quantiles] = process.argv.slice(2);
const histogram = build({
  bitBucketSize: 64,
  highestTrackableValue: 2 ** 52,
  numberOfSignificantValueDigits: 4,
  useWebAssembly: false,
});
let min = Infinity;
for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
  const value = Number(line);
  histogram.recordValue(value);
  min = Math.min(min, value);
}
console.log(
  JSON.stringify({
    count: histogram.totalCount,
    min,
    max: histogram.maxValue,
    quantiles: quantiles.map((q) => histogram.getValueAtPercentile(100 * Number(q))),
  }),
);

"""A comparison as a paper prints it: table, paired tests, curves and front of one sweep.

    ./skiff sweep scenarios/sweeps/methods.yaml
    PYTHONPATH=analysis python3 analysis/examples/compare_methods.py results/methods -o results/methods/paper
"""

import argparse
import pathlib

import skiff_analysis
from skiff_analysis import comparison, style, targets
from skiff_analysis.figures import metric_curve, pareto_front


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", help="the folder of a sweep")
    parser.add_argument("-o", "--out", required=True)
    parser.add_argument("--baseline", help="default: the first case")
    options = parser.parse_args(arguments)
    out = pathlib.Path(options.out)

    sweep = skiff_analysis.load_sweep(options.sweep)
    print(f"{len(sweep)} runs; cases: {', '.join(sweep.cases)}; varied: {', '.join(sweep.keys)}")
    metric = comparison.chosen_metric(sweep)
    baseline = comparison.chosen_baseline(sweep, options.baseline)
    target = targets.default_target(sweep, metric, baseline)

    # 1. What each case reached and what it cost: means over paired seeds, 95 % intervals.
    summary = comparison.summary(sweep, metric, target, baseline)
    print(comparison.markdown(comparison.readable(summary)))

    # 2. Is it better? Differences seed by seed, corrected for the number of comparisons (Holm).
    for measure in ("final", "best", "bytes_up", "energy"):
        for row in comparison.differences(sweep, metric, measure, baseline).itertuples():
            verdict = "differs" if row.p_holm < 0.05 else "no difference shown"
            print(f"{measure}: {row.case} - {row.baseline} = {row.difference:.4g} ± {row.half_width:.2g} "
                  f"(n = {row.n}, p = {row.p_holm:.2g} after Holm): {verdict}")

    # 3. The figures, each with the CSV behind it.
    for axis in ("rounds", "bytes"):
        style.save(*metric_curve.draw(sweep, metric, axis), out, f"curves-{axis}")
    style.save(*pareto_front.draw(sweep, metric, "energy"), out, "front-energy")
    summary.to_csv(out / "summary.csv", index=False)
    print(f"target {target:.3g}; figures in {out}")


if __name__ == "__main__":
    main()

// PV-Tuning on a quadratic, phi(x) = (x - w)^T A (x - w): the exact method for small problems, and
// the linearised steps that the large one is made of. The reference that the layers' steps are
// judged by; in double, one thread.
//
// Malinovskii et al. 2024 (arXiv:2405.14852), section 3. A point x of few distinct values is a
// table of values and, for each coordinate, which one it has.
//   P step   the partition stays: values = argmin phi, a linear system of as many unknowns
//   V step   the values stay: labels = argmin phi, by comparing all assignments where there are at
//            most 10^5, else one coordinate at a time until none gains
//   subspace coordinates S alone: each becomes the value nearest to y - g / L_S, with g = 2 A (y -
//            w) and L_S at least the largest eigenvalue of 2 A[S, S]; phi cannot grow
#pragma once

#include <span>
#include <vector>

namespace skiff {

struct Quadratic {
  std::vector<double> a, w;  // A: d x d, row-major, symmetric, positive definite

  std::size_t size() const { return w.size(); }
  double at(std::span<const double> x) const;
  std::vector<double> gradient(std::span<const double> x) const;
};

struct Shared {  // x_i = values[labels[i]]
  std::vector<double> values;
  std::vector<int> labels;

  static Shared of(std::span<const double> x);  // its distinct values, ascending
  std::vector<double> point() const;
};

// Values that no coordinate has are dropped.
Shared p_step(const Quadratic& phi, const Shared& x);
Shared exact_v_step(const Quadratic& phi, const Shared& x);
// P and V in turn until V gains no more than 10^-12 (1 + |phi|). `trace`: phi at the start, then
// after each P and each V that was taken.
Shared pv_exact(const Quadratic& phi, const Shared& start, std::vector<double>& trace);

// The largest eigenvalue of 2 A[S, S].
double subspace_smoothness(const Quadratic& phi, std::span<const std::size_t> s);
// One linearised V step on S.
Shared subspace_v_step(const Quadratic& phi, const Shared& x, std::span<const std::size_t> s);
// The `most` coordinates whose best change of value alone promises the greatest decrease by g and
// the diagonal; if none of them changes in the step, half as many, and so on. Answers x if none.
Shared predicted_v_step(const Quadratic& phi, const Shared& x, std::size_t most);

}  // namespace skiff

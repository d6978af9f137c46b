// The two-player game of B-DISTIL: Dennis, Shetty, Sevekari, Koishida and Smith 2023, "Progressive
// ensemble distillation" (NeurIPS; arXiv:2302.10093), as we understand its algorithm 1.
//
// N samples, L outputs, a teacher g and members f_1, f_2, ... with residuals l_t = f_t - g, clipped
// to +-G. The adversary's weights K+ and K- (by output they sum to 1 over all samples) grow where
// the members fall short and where they overshoot: with S = l_1 + ... + l_{t-1},
//   K+-(i, j) = exp(-+eta S(i, j)) / Z_j,   (K+ - K-) / (K+ + K-) = -tanh(eta S).
// A member answers well where its edge_j = sum_i (K+ - K-) l is at least 0. Whatever it answers,
// if eta max|l| <= 1.79, for every output (regret of Hedge over the 2N experts (i, +-); e^y <= 1 +
// y + y^2 up to 1.793)
//   max_i |(l_1 + ... + l_M)(i, j)| / M <= ln(2N) / (eta M)
//                               + (1/M) sum_t (eta sum_i (K+ + K-) l_t^2 - edge_t(j)).
// Only sums over samples couple them: clients that hold the samples exchange these sums, nothing
// else, and play the same game as one that holds all.
// Arrays are samples x outputs, row-major, in double: S is what all that follows depends on.
// Exponents are shifted by their largest, so nothing overflows. Thread-safe. Cost: a tally and a
// normaliser take two exponentials an entry.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace skiff::distillation {

// By output: what turns S into K. Of some samples; merged, of all.
struct Normaliser {
  std::vector<double> shift;  // max_i eta |S|
  std::vector<double> sum;    // sum_i exp(-eta S - shift) + exp(eta S - shift)
  std::vector<double> most;   // max_i |S|

  // Of a game in which nobody has answered: K = 1 / (2N).
  static Normaliser start(std::int64_t samples, std::size_t outputs);
  void merge(const Normaliser& others);
};
Normaliser normaliser_of(std::span<const double> gaps, std::size_t outputs, double eta);

// K+ and K- of an entry.
struct Weight {
  double plus = 0, minus = 0;
  double both() const { return plus + minus; }
  double tilt() const { return plus - minus; }
};
Weight weight_of(double gap, double eta, const Normaliser& all, std::size_t output);

// By output what an answer is worth: sums over the samples.
struct Tally {
  std::vector<double> edge;    // sum (K+ - K-) l
  std::vector<double> second;  // sum (K+ + K-) l^2
  double largest = 0;          // max |l| over all entries, before clipping
  std::int64_t clipped = 0;    // entries with |l| > G

  void merge(const Tally& others);
  double least_edge() const;
};
// `residuals` are clipped to +-limit in place.
Tally tally_of(std::span<const double> gaps, std::span<double> residuals, double eta, double limit,
               const Normaliser& all);

// eta = (1/G) sqrt(ln(2N) / T), but eta G <= 1: with few members the certificate holds with this.
double rate_of(std::int64_t samples, std::int64_t members, double limit);
// The right side of the certificate after `members`, from sums over them of second and edge.
double certificate(std::int64_t samples, std::int64_t members, double eta, double second,
                   double edge);

// What the next member should say of an entry: the teacher's answer pushed by `push` towards where
// the members so far fall short, y = g + push R / max_i |R|, R = -tanh(eta S). At the start R = 0
// and y = g.
double target_of(double answer, double gap, double eta, double push, const Normaliser& all,
                 std::size_t output);

}  // namespace skiff::distillation

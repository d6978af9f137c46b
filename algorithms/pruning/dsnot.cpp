#include "algorithms/pruning/dsnot.h"

#include <cmath>
#include <limits>

#include "algorithms/kernels/reduce.h"

namespace skiff::pruning {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

double power(double v, double p) {
  return p == 1 ? v : p == 2 ? v * v : p == 0.5 ? std::sqrt(v) : std::pow(v, p);
}

// What the inputs say, by column.
struct Inputs {
  std::vector<double> sum, mean, variance, active;

  Inputs(const InputStatistics& s, double alpha) {
    const auto n = static_cast<double>(s.count), sequences = static_cast<double>(s.samples);
    for (int j = 0; j < s.width; ++j) {
      sum.push_back(s.sum[at(j)] / sequences);
      mean.push_back(s.sum[at(j)] / n);
      variance.push_back(std::max(0.0, s.squared_norm(j) / n - mean.back() * mean.back()));
      active.push_back(power(std::sqrt(s.squared_norm(j)), alpha));
    }
  }
};

class Row {
 public:
  Row(std::uint8_t* mask, const Layer& layer, int i, const Inputs& inputs, const Scores& relative,
      const Dsnot& options)
      : mask_(mask), layer_(layer), i_(i), x_(inputs), relative_(relative), o_(options) {
    used_.resize(at(layer.cols));
    for (int r = 0; r < layer.cols; ++r) {
      if (mask_[r] != 0) error_ += moved(r);
    }
  }

  std::int64_t refine() {
    const bool positive = error_ > 0;
    std::int64_t swaps = 0;
    while (swaps < o_.most_swaps && std::abs(error_) > o_.threshold) {
      const double s = error_ > 0 ? 1 : -1;
      const int g = to_grow(s), q = to_prune(s);
      if (g < 0 || q < 0 || s * moved(g) <= 0) break;
      const double next = error_ - moved(g) + moved(q);
      if (o_.same_sign && (next > 0) != positive) break;
      mask_[g] = 0;
      mask_[q] = 1;
      used_[at(g)] = used_[at(q)] = 1;
      error_ = next;
      ++swaps;
    }
    return swaps;
  }
  double error() const { return error_; }

 private:
  double w(int r) const { return layer_.weights[layer_.index(i_, r)]; }
  double moved(int r) const { return w(r) * x_.sum[at(r)]; }
  double importance(int r) const { return relative_[layer_.index(i_, r)]; }

  int to_grow(double s) const {
    int best = -1;
    double most = -std::numeric_limits<double>::infinity();
    for (int r = 0; r < layer_.cols; ++r) {
      if (mask_[r] == 0 || used_[at(r)] != 0 || x_.variance[at(r)] == 0) continue;
      double gain = s * moved(r);
      if (o_.relative == Relative::kGrow) {
        gain = s * (w(r) > 0 ? 1 : -1) * importance(r) * x_.mean[at(r)];
      }
      gain /= x_.variance[at(r)];
      if (o_.g1 != 0) gain += o_.g1 * power(std::abs(w(r)), o_.p);
      if (gain > most) most = gain, best = r;
    }
    return best;
  }

  int to_prune(double s) const {
    int best = -1;
    double least = std::numeric_limits<double>::infinity();
    for (int r = 0; r < layer_.cols; ++r) {
      if (mask_[r] != 0 || used_[at(r)] != 0 || s * moved(r) >= 0) continue;
      const double weight = o_.relative == Relative::kPrune ? importance(r) : std::abs(w(r));
      double loss = weight * x_.active[at(r)];
      if (o_.g2 != 0) loss += o_.g2 * power(std::abs(w(r)), o_.p);
      if (loss < least) least = loss, best = r;
    }
    return best;
  }

  std::uint8_t* mask_;
  const Layer& layer_;
  int i_;
  const Inputs& x_;
  const Scores& relative_;
  const Dsnot& o_;
  std::vector<std::uint8_t> used_;
  double error_ = 0;
};

}  // namespace

DsnotResult refine(Mask& mask, const Layer& layer, const Dsnot& options) {
  const Inputs inputs(*layer.inputs, options.alpha);
  Scores importance;
  if (options.relative != Relative::kNone) {
    importance = relative(layer.matrix(), inverse_norms(layer.matrix(), 1));
  }
  DsnotResult result;
  std::vector<double> errors;
  for (int i = 0; i < layer.rows; ++i) {
    Row row(mask.data() + layer.index(i, 0), layer, i, inputs, importance, options);
    result.swaps += row.refine();
    errors.push_back(std::abs(row.error()));
  }
  result.mean_error = kernels::sum_double(errors) / layer.rows;
  return result;
}

double mean_row_error(const Mask& mask, const Layer& layer) {
  Mask copy = mask;
  return refine(copy, layer, {.most_swaps = 0}).mean_error;
}

}  // namespace skiff::pruning

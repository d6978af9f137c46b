// One layer as PV-Tuning holds it: codes, a table of values and scales, What = scale * table[code],
// and one step of each of its two halves.
//
// Malinovskii et al. 2024, "PV-Tuning: beyond straight-through estimation for extreme LLM
// compression" (arXiv:2405.14852). P step (the partition stays): the gradient of the weights is
// drawn back to table and scales, which Adam moves (scales by a share of themselves). V step (the
// values stay): Adam's step on the weights proposes new ones, and the groups whose nearest code
// then differs, those moved farthest first, at most a share of all, take it.
// Reads and writes nothing but itself; one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "algorithms/quantization/layer_quantizer.h"
#include "algorithms/quantization/table_values.h"

namespace skiff {

enum class PvMode {
  kPv,          // from the quantized weights, a share of the groups
  kPvSte,       // from latent weights that collect every proposal, a share of the groups
  kSte,         // from latent weights, all groups: straight-through
  kPOnly,       // table and scales alone
  kNaive,       // from the quantized weights, all groups
  kStochastic,  // from latent weights, all groups, one of the two nearest codes by chance
};

struct PvRates {
  double learning_rate = 3e-4;       // table, and scales as shares of themselves
  double code_learning_rate = 0.01;  // proposals, in units of the layer's root mean square
  double subspace = 0.01;            // share of the groups that may change in a step
};

class PvLayer {
 public:
  // Scales: root mean squares; table: k-means of the scaled weights, from a Gaussian's optimum.
  // first: a table of that size from which k-means starts instead; empty: none.
  PvLayer(const LayerMatrix& matrix, const TableFormat& format, std::span<const float> first = {});
  // What was stored, to go on from.
  explicit PvLayer(const TableParts& stored);

  std::span<const float> values() const { return values_; }  // What, row-major
  std::size_t groups() const { return codes_.size(); }

  // gradient: of the loss at What. Answers how many codes have changed.
  std::size_t step(std::span<const float> gradient, PvMode mode, const PvRates& rates,
                   Stream stream);
  // Gradients of table and scales (as shares) at What: the chain rule of scale * table[code].
  void pull_back(std::span<const float> gradient, std::span<double> table,
                 std::span<double> scales) const;

  StoredValuesPtr stored() const;  // table and scales rounded to fp16
  const std::vector<float>& table() const { return table_; }
  const std::vector<float>& scales() const { return scales_; }
  const std::vector<std::uint16_t>& codes() const { return codes_; }
  void set(std::vector<float> table, std::vector<float> scales) {
    table_ = std::move(table);
    scales_ = std::move(scales);
    refresh();
  }

 private:
  struct Moments {
    std::vector<double> first, second;
  };
  void place_groups();
  void start_steps();
  void fit_table();
  void refresh();  // What from codes, table and scales
  std::uint16_t nearest(std::span<const float> reference, std::size_t code_index) const;
  float scale_of(std::size_t value) const { return scales_[group_of_[value]]; }
  std::size_t first_value(std::size_t code) const;
  std::size_t values_of(std::size_t code) const;
  std::size_t move_codes(std::span<const float> reference, std::size_t most);
  std::size_t round_by_chance(std::span<const float> reference, Stream stream);
  void move_values(std::span<const float> gradient, double rate);

  TableFormat format_;
  int rows_, cols_;
  std::vector<float> values_, latent_, table_, scales_;
  std::vector<std::uint16_t> codes_;
  std::vector<std::uint32_t> group_of_;  // scale of each value
  Moments table_moments_, scale_moments_;
  std::vector<float> code_moments_;  // second ones of the proposals
  double unit_ = 0;                  // root mean square of the layer
  int steps_ = 0;
};

}  // namespace skiff

#include "algorithms/calibration.h"

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
#include "sim/core/error.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {

using Seen = std::function<void(std::size_t tensor, const kernels::Rows& x)>;

// Weights that tell somebody what each linear layer reads.
class Overheard final : public Weights {
 public:
  Overheard(const Vector& weights, Seen seen) : weights_(weights), seen_(std::move(seen)) {}

  const Layout& shapes() const override { return weights_.shapes(); }
  void forward(std::size_t tensor, std::size_t bias, Activation activation, const kernels::Rows& x,
               kernels::MatrixView y) override {
    seen_(tensor, x);
    weights_.forward(tensor, bias, activation, x, y);
  }
  std::span<const float> values(std::size_t tensor) const override {
    return weights_.values(tensor);
  }
  Vector& parameters() override { return weights_.parameters(); }

  // Nothing is trained.
  void backward_input(std::size_t, kernels::ConstMatrixView, kernels::ConstMatrixView,
                      kernels::MatrixView) override {
    SKIFF_CHECK(false, "calibration takes no gradient");
  }
  void backward_weight(std::size_t, std::size_t, const kernels::Rows&,
                       kernels::ConstMatrixView) override {
    SKIFF_CHECK(false, "calibration takes no gradient");
  }
  void add_gradient(std::size_t, std::span<const float>) override {
    SKIFF_CHECK(false, "calibration takes no gradient");
  }
  Vector& gradient() override { return weights_.gradient(); }
  void clear_gradient() override { weights_.clear_gradient(); }
  void update(Vector& out) const override { weights_.update(out); }

 private:
  FullWeights weights_;
  Seen seen_;
};

void evaluate_one(const Architecture& model, Weights& weights, const Samples& samples,
                  std::uint32_t row, Workspace& workspace) {
  BatchRows batch;
  const std::array<std::uint32_t, 1> rows{row};
  batch.gather(samples, rows);
  workspace.reset();
  model.evaluate(weights, batch.batch(), workspace);
}

// Adds the inputs of one layer in one call. A text's padding is left out.
class Sums {
 public:
  Sums(const TaskShape& task, InputStatistics& out) : task_(task), out_(out) {}

  void add(const kernels::Rows& x, const std::int32_t* ids) {
    const bool a_row_a_token = task_.is_text() && x.rows == task_.sequence_length;
    rows_.clear();
    for (int i = 0; i < x.rows; ++i) {
      if (a_row_a_token && ids[i] == kNoToken) continue;
      rows_.insert(rows_.end(), x[i], x[i] + x.cols);
    }
    const auto width = static_cast<std::size_t>(x.cols);
    if (out_.width == 0) {
      out_.width = x.cols;
      out_.gram.assign(width * width, 0.0);
      out_.sum.assign(width, 0.0);
    }
    const auto count = static_cast<int>(rows_.size() / width);
    product_.resize(width * width);
    const kernels::ConstMatrixView inputs = kernels::dense(rows_.data(), count, x.cols);
    kernels::gemm_tn(kernels::dense(product_.data(), x.cols, x.cols), inputs, inputs);
    kernels::axpy(out_.gram, 1.0, product_);
    for (int i = 0; i < count; ++i) {
      kernels::axpy(out_.sum, 1.0, std::span(inputs[i], width));
    }
    out_.count += count;
  }

 private:
  const TaskShape& task_;
  InputStatistics& out_;
  std::vector<float> rows_, product_;
};

void add_to(InputStatistics& total, const InputStatistics& part) {
  if (total.width == 0) {
    total = part;
    return;
  }
  for (std::size_t i = 0; i < total.gram.size(); ++i) total.gram[i] += part.gram[i];
  for (std::size_t i = 0; i < total.sum.size(); ++i) total.sum[i] += part.sum[i];
  total.count += part.count;
  total.samples += part.samples;
}

constexpr std::size_t kBlock = 8;  // samples whose sums are added at once; part of what sums are

}  // namespace

Calibration::Calibration(const Architecture& architecture, const Samples& samples,
                         std::vector<std::uint32_t> rows)
    : architecture_(architecture), samples_(samples), rows_(std::move(rows)) {
  if (rows_.empty()) {
    throw std::invalid_argument(
        "calibration needs samples of the server's: write data.server_samples");
  }
  groups_ = find_groups();
}

std::vector<std::vector<std::size_t>> Calibration::find_groups() const {
  std::vector<std::vector<std::size_t>> groups;
  std::vector<bool> known(architecture_.layout()->slices.size());
  const float* last = nullptr;
  Vector weights(architecture_.layout());
  architecture_.initialise(weights, Stream(0, "calibration.groups"));
  Overheard overheard(weights, [&](std::size_t tensor, const kernels::Rows& x) {
    if (known[tensor]) return;
    known[tensor] = true;
    if (groups.empty() || x[0] != last) groups.emplace_back();
    groups.back().push_back(tensor);
    last = x[0];
  });
  Workspace workspace;
  evaluate_one(architecture_, overheard, samples_, rows_.front(), workspace);
  return groups;
}

std::size_t Calibration::group_of(std::size_t tensor) const {
  std::size_t g = 0;
  while (g < groups_.size() &&
         std::find(groups_[g].begin(), groups_[g].end(), tensor) == groups_[g].end()) {
    ++g;
  }
  return g;
}

InputStatistics Calibration::inputs(const Vector& weights, std::size_t group) const {
  const std::size_t listened = groups_.at(group).front();
  const TaskShape& task = architecture_.task();
  const std::size_t blocks = (rows_.size() + kBlock - 1) / kBlock;
  const auto wave = static_cast<std::size_t>(threads());
  InputStatistics total;
  for (std::size_t first = 0; first < blocks; first += wave) {
    std::vector<InputStatistics> parts(std::min(wave, blocks - first));
    parallel_for(parts.size(), [&](std::size_t p) {
      Sums sums(task, parts[p]);
      const std::int32_t* ids = nullptr;
      Overheard overheard(weights, [&](std::size_t tensor, const kernels::Rows& x) {
        if (tensor == listened) sums.add(x, ids);
      });
      Workspace workspace;
      const std::size_t begin = (first + p) * kBlock;
      const std::size_t end = std::min(begin + kBlock, rows_.size());
      for (std::size_t i = begin; i < end; ++i) {
        if (task.is_text()) ids = samples_.text(static_cast<int>(rows_[i]));
        evaluate_one(architecture_, overheard, samples_, rows_[i], workspace);
      }
      parts[p].samples = static_cast<std::int64_t>(end - begin);
    });
    for (const InputStatistics& part : parts) add_to(total, part);
  }
  return total;
}

double Calibration::loss(const Vector& weights) const {
  const Evaluation sum = evaluate_rows(
      architecture_, [&] { return std::make_unique<FullWeights>(weights); }, samples_, rows_);
  return sum.loss / static_cast<double>(sum.rows);
}

double Calibration::loss_and_gradient(const Vector& weights, Vector& gradient) const {
  return gradient_over(weights, rows_, gradient);
}

double Calibration::loss_and_gradient(const Vector& weights, std::span<const std::uint32_t> some,
                                      Vector& gradient) const {
  std::vector<std::uint32_t> rows;
  for (const std::uint32_t i : some) rows.push_back(rows_.at(i));
  return gradient_over(weights, rows, gradient);
}

double Calibration::gradient_over(const Vector& weights, std::span<const std::uint32_t> rows,
                                  Vector& gradient) const {
  FullWeights bound(weights);
  bound.clear_gradient();
  Workspace workspace;
  std::vector<double> sum(weights.values.size());
  double loss = 0;
  std::int64_t asked = 0;
  for (std::size_t b = 0; b < evaluation_blocks(architecture_.task(), rows.size()); ++b) {
    BatchRows part;
    part.gather(samples_, evaluation_rows(architecture_.task(), rows, b));
    const Batch batch = part.batch();
    const std::int64_t n = predictions(architecture_.task(), batch);
    if (n == 0) continue;
    bound.clear_gradient();
    workspace.reset();
    loss += static_cast<double>(n) * architecture_.loss_and_gradient(bound, batch, workspace);
    kernels::axpy(sum, static_cast<double>(n), bound.gradient().values);
    asked += n;
  }
  gradient = Vector(weights.layout);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    gradient.values[i] = static_cast<float>(sum[i] / static_cast<double>(asked));
  }
  return loss / static_cast<double>(asked);
}

}  // namespace skiff

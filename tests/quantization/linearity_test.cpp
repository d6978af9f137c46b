// The linearity theorem where it can be worked out: slopes of the loss against the Hessian's trace,
// the sum over layers against all layers at once, and quantization against noise of its size.
#include "algorithms/quantization/linearity.h"

#include "algorithms/models/architecture.h"
#include "sim/core/distributions.h"
#include "tests/quantization/quantization_test.h"

namespace skiff::testing {
namespace {

constexpr int kInputs = 32, kClasses = 4, kSamples = 2048;

// Normal inputs of unequal sizes; classes drawn from a softmax of a random linear map, so that the
// unregularised optimum is finite.
Samples noisy_classes() {
  Stream draws(5, "samples");
  std::vector<double> w(kInputs * kClasses);
  for (double& v : w) v = 0.3 * normal(draws);
  Samples samples(kSamples, kInputs);
  for (int i = 0; i < kSamples; ++i) {
    double sum[kClasses] = {};
    for (int j = 0; j < kInputs; ++j) {
      samples.row(i)[j] = static_cast<float>((0.5 + 0.05 * j) * normal(draws));
      for (int c = 0; c < kClasses; ++c) {
        sum[c] += w[static_cast<std::size_t>(j * kClasses + c)] * double{samples.row(i)[j]};
      }
    }
    int best = 0;  // the greatest of logits with Gumbel noise: a draw from their softmax
    for (int c = 0; c < kClasses; ++c) {
      sum[c] -= std::log(-std::log(draws.uniform() + 1e-12));
      if (sum[c] > sum[best]) best = c;
    }
    samples.labels[static_cast<std::size_t>(i)] = best;
  }
  return samples;
}

struct Trained {
  Samples samples = noisy_classes();
  std::shared_ptr<const Architecture> model;
  std::unique_ptr<Calibration> calibration;
  Vector weights;

  // Gradient descent on all samples at once.
  Trained(Node shape, int steps, double rate) {
    TaskShape task;
    task.width = kInputs;
    task.classes = kClasses;
    model = Registry<ModelFamily>::instance().make(shape)->build(task);
    std::vector<std::uint32_t> rows(kSamples);
    for (std::uint32_t i = 0; i < kSamples; ++i) rows[i] = i;
    calibration = std::make_unique<Calibration>(*model, samples, rows);
    weights = Vector(model->layout());
    model->initialise(weights, Stream(1, "weights"));
    Vector gradient;
    for (int s = 0; s < steps; ++s) {
      calibration->loss_and_gradient(weights, gradient);
      for (std::size_t i = 0; i < weights.values.size(); ++i) {
        weights.values[i] -= static_cast<float>(rate) * gradient.values[i];
      }
    }
  }
  double growth(const Vector& what) const {
    return calibration->loss(what) - calibration->loss(weights);
  }
  // Of a network the hidden layers, which are what is quantized.
  std::vector<std::size_t> matrices() const {
    std::vector<std::size_t> found;
    const std::vector<Slice>& slices = model->layout()->slices;
    const bool deep = slices.front().name.starts_with("hidden");
    for (std::size_t t = 0; t < slices.size(); ++t) {
      if (slices[t].is_matrix() && (!deep || slices[t].name.starts_with("hidden"))) {
        found.push_back(t);
      }
    }
    return found;
  }
};

// Not trained to the end: a net that knows its samples by heart answers to no small error linearly.
Trained network() {
  Node shape = map_of({{"architecture", "mlp"}});
  Node hidden;
  hidden.kind = Node::Kind::kList;
  hidden.items = {Node::scalar("32"), Node::scalar("32")};
  shape.set("hidden", hidden);
  return Trained(shape, 300, 0.3);
}

// |W|^2 tr(H) / (2 d), tr(H) = mean |x|^2 sum_c p_c (1 - p_c), over inputs and outputs of W.
double exact_slope(const Trained& t) {
  const Slice& w = t.model->layout()->slices[t.matrices().front()];
  const Slice* bias = t.model->layout()->find(w.name.substr(0, w.name.rfind('.')) + ".bias");
  std::vector<float> rows(w.size());
  to_row_major(w, std::span(t.weights.values).subspan(w.offset, w.size()), rows);
  double trace = 0, norm = 0;
  for (const float v : rows) norm += double{v} * double{v};
  for (int i = 0; i < kSamples; ++i) {
    double square = 0, exps[kClasses], all = 0, spread = 0;
    for (int j = 0; j < kInputs; ++j) square += std::pow(double{t.samples.row(i)[j]}, 2);
    for (int c = 0; c < kClasses; ++c) {
      double z = double{t.weights.values[bias->offset + static_cast<std::size_t>(c)]};
      for (int j = 0; j < kInputs; ++j) {
        z += double{rows[static_cast<std::size_t>(c * kInputs + j)]} * double{t.samples.row(i)[j]};
      }
      all += exps[c] = std::exp(z);
    }
    for (const double e : exps) spread += e / all * (1 - e / all);
    trace += square * spread / kSamples;
  }
  return norm * trace / (2 * static_cast<double>(w.size()));
}

TEST(LinearityTest, SlopesOfLogisticRegressionAreTheHessiansTrace) {
  const Trained t(map_of({{"architecture", "logistic-regression"}}), 4000, 0.5);
  Vector gradient;
  t.calibration->loss_and_gradient(t.weights, gradient);
  for (const float g : gradient.values) ASSERT_LT(std::abs(g), 2e-4F);  // it is the optimum
  const double exact = exact_slope(t);
  const Model model = dense_model(t.weights);
  for (const double size : {0.02, 0.1, 0.4}) {
    double mean = 0;
    constexpr int kPairs = 400;
    for (int i = 0; i < kPairs; ++i) {
      mean += loss_slopes(*t.calibration, model, t.matrices(), {1, size * size, size * size},
                          Stream(static_cast<std::uint64_t>(i), "slopes"))
                  .front() /
              kPairs;
    }
    EXPECT_NEAR(mean / exact, 1, size < 0.3 ? 0.03 : 0.05) << size;
  }
}

// Noise of layer t of the relative size `size` in each row, as quantization by rows leaves it: rows
// of unequal norms do not bear the same noise alike.
Vector disturbed(const Trained& t, std::size_t layer, double size, Stream draws, double sign) {
  Vector what = t.weights;
  const Slice& s = t.model->layout()->slices[layer];
  const std::span<float> own = std::span(what.values).subspan(s.offset, s.size());
  std::vector<float> rows(s.size());
  to_row_major(s, own, rows);
  const auto width = static_cast<std::size_t>(s.cols);
  for (std::size_t first = 0; first < rows.size(); first += width) {
    double norm = 0;
    for (std::size_t i = first; i < first + width; ++i) norm += double{rows[i]} * double{rows[i]};
    const double unit = sign * size * std::sqrt(norm / static_cast<double>(width));
    for (std::size_t i = first; i < first + width; ++i) {
      rows[i] += static_cast<float>(unit * normal(draws));
    }
  }
  from_row_major(s, rows, own);
  return what;
}

Vector quantized(const Trained& t, const Keys& keys, std::uint64_t seed) {
  Model model = dense_model(t.weights);
  State memory;
  make("higgs", keys)->compress(model, t.calibration.get(), memory, Stream(seed, "higgs"));
  return decoded(model);
}

// 2 W - What: the same error with its sign turned, which takes the gradient's part out of a mean.
Vector mirrored(const Trained& t, Vector what) {
  for (std::size_t i = 0; i < what.values.size(); ++i) {
    what.values[i] = 2 * t.weights.values[i] - what.values[i];
  }
  return what;
}

// Only one layer of `all`.
Vector only(const Trained& t, const Vector& all, std::size_t layer) {
  Vector what = t.weights;
  const Slice& s = t.model->layout()->slices[layer];
  std::copy_n(all.values.begin() + static_cast<std::ptrdiff_t>(s.offset), s.size(),
              what.values.begin() + static_cast<std::ptrdiff_t>(s.offset));
  return what;
}

TEST(LinearityTest, LayersAddUpAndNoiseOfAnyKindCostsTheSame) {
  const Trained t = network();
  const Keys keys{{"bits", "4"}, {"group", "32"}, {"scale", "unbiased"}};
  double together = 0, one_by_one = 0;
  std::vector<double> by_layer(t.matrices().size()), of_noise(t.matrices().size());
  constexpr int kTimes = 20;
  for (std::uint64_t seed = 0; seed < kTimes; ++seed) {
    const Vector what = quantized(t, keys, seed);
    together += (t.growth(what) + t.growth(mirrored(t, what))) / 2;
    for (std::size_t i = 0; i < t.matrices().size(); ++i) {
      const std::size_t layer = t.matrices()[i];
      const Vector alone = only(t, what, layer);
      const Slice& s = t.model->layout()->slices[layer];
      const double growth = (t.growth(alone) + t.growth(mirrored(t, alone))) / 2;
      one_by_one += growth;
      by_layer[i] += growth;
      const double size =
          std::sqrt(relative_error(std::span(alone.values).subspan(s.offset, s.size()),
                                   std::span(t.weights.values).subspan(s.offset, s.size())));
      for (const double sign : {1.0, -1.0}) {
        of_noise[i] += t.growth(disturbed(t, layer, size, Stream(seed, "noise"), sign)) / 2;
      }
    }
  }
  EXPECT_NEAR(together / one_by_one, 1, 0.15);
  for (std::size_t i = 0; i < by_layer.size(); ++i) {
    EXPECT_NEAR(by_layer[i] / of_noise[i], 1, 0.15) << i;
  }
}

// 1 - the squares that are left / those about the mean, of the line through the origin.
double line_through_origin(const std::vector<double>& x, const std::vector<double>& y) {
  double xy = 0, xx = 0, mean = 0, left = 0, all = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += x[i] * y[i];
    xx += x[i] * x[i];
    mean += y[i] / static_cast<double>(y.size());
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    left += std::pow(y[i] - xy / xx * x[i], 2);
    all += std::pow(y[i] - mean, 2);
  }
  return 1 - left / all;
}

TEST(LinearityTest, PerplexityGrowsWithTheSquareOfALayersNoise) {
  const Trained t = network();
  const double whole = std::exp(t.calibration->loss(t.weights));
  for (const std::size_t layer : t.matrices()) {
    std::vector<double> squares, growths;
    for (int level = 0; level < 15; ++level) {
      const double size = 0.05 + 0.35 / 14 * level;
      double growth = 0;
      constexpr int kPairs = 20;
      for (std::uint64_t draw = 0; draw < kPairs; ++draw) {
        for (const double sign : {1.0, -1.0}) {
          const Vector what = disturbed(t, layer, size, Stream(draw, "noise"), sign);
          growth += (std::exp(t.calibration->loss(what)) - whole) / (2 * kPairs);
        }
      }
      squares.push_back(size * size);
      growths.push_back(growth);
    }
    EXPECT_GE(line_through_origin(squares, growths), 0.95) << layer;
  }
}

}  // namespace
}  // namespace skiff::testing

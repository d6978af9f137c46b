// What projections hold at most while they work, by every allocation of this thread: no more than
// cost() declares, and not much less.
#include <fmt/format.h>

#include <cstdlib>
#include <new>

#include "algorithms/optimizers/dense_space.h"
#include "algorithms/optimizers/grass_space.h"
#include "tests/optimizers/projected.h"

namespace {
thread_local std::int64_t live = 0, most = 0;
}  // namespace

// Sizes as they were asked for stand in front of the blocks.
void* operator new(std::size_t n) {
  auto* block = static_cast<std::size_t*>(std::malloc(n + 2 * sizeof(std::size_t)));
  if (block == nullptr) throw std::bad_alloc();
  *block = n;
  live += static_cast<std::int64_t>(n);
  most = std::max(most, live);
  return block + 2;
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return operator new(n); }
void operator delete(void* p) noexcept {
  if (p == nullptr) return;
  auto* block = static_cast<std::size_t*>(p) - 2;
  live -= static_cast<std::int64_t>(*block);
  std::free(block);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

namespace skiff::testing {
namespace {

// Bytes beyond those before, at most, while `work` runs.
template <class Work>
std::int64_t held(Work work) {
  const std::int64_t before = live;
  most = live;
  work();
  return most - before;
}

struct Factors {
  int count;
  std::vector<float> x, dy;
  std::vector<const float*> rows;
  kernels::Rows inputs;
  kernels::ConstMatrixView outputs;

  Factors(int rows_of, const Slice& layer, bool evenly)
      : count(rows_of),
        x(static_cast<std::size_t>(count * layer.cols)),
        dy(static_cast<std::size_t>(count * layer.rows)),
        inputs{nullptr, count, layer.cols},
        outputs(kernels::dense(std::as_const(dy).data(), count, layer.rows)) {
    Numbers(3).fill(x);
    Numbers(5).fill(dy);
    for (int b = 0; b < count; ++b) {
      rows.push_back(x.data() +
                     std::ptrdiff_t{evenly ? b : count - 1 - b * b % count} * layer.cols);
    }
    inputs.row = rows.data();
  }
};

struct Held {
  std::int64_t bytes, declared;
};

// A choice, a projection and a step, twice: the second changes what the first has left.
Held of(const Projection& projection, const Slice& layer, int rows, bool evenly) {
  const Factors f(rows, layer, evenly);
  const std::unique_ptr<Subspace> space = projection.make(layer);
  const Slice shape = projection.shape(layer);
  std::vector<float> g(shape.size()), w(layer.size());
  State moments;
  const auto once = [&](std::uint64_t t, Scratch& scratch) {
    space->choose(f.inputs, f.outputs, Stream(t, "choose"), scratch);
    space->project(kernels::dense(g.data(), shape.cols, shape.rows), f.inputs, f.outputs,
                   kernels::Output::kOverwrite, scratch);
    space->step(w, g, 0.01, moments, scratch);
  };
  Scratch warm;
  once(1, warm);
  const Bytes kept = space->kept();
  const std::int64_t bytes = held([&] {
    Scratch scratch;
    once(2, scratch);
  });
  const ProjectionCost cost = projection.cost(layer, rows);
  EXPECT_EQ(space->kept(), kept);
  EXPECT_EQ(kept.value(), cost.kept);
  EXPECT_EQ(moments.bytes().value(), cost.moments);
  return {bytes, 4 * cost.scratch};
}

template <class Params>
Params with_rank(int rank) {
  Params p;
  p.rank = rank;
  return p;
}

TEST(ProjectedScratchTest, WhatIsHeldIsDeclared) {
  const auto grass = [](const char* rows, const char* moments) {
    GrassParams p = with_rank<GrassParams>(24);
    p.rows = rows;
    p.moments = moments;
    return p.projection();
  };
  const ProjectedParams dense = with_rank<ProjectedParams>(24);
  const std::pair<const char*, std::shared_ptr<const Projection>> all[] = {
      {"grass", grass("top-r", "reset")},
      {"grass drawn", grass("multi-norm-nr", "reset")},
      {"grass carried", grass("top-r", "carry-overlap")},
      {"galore", dense_projection(dense, Directions::kSingular)},
      {"flora", dense_projection(dense, Directions::kRandom)}};
  for (const auto& [name, projection] : all) {
    for (const Order order : {Order::kInOut, Order::kOutIn}) {
      for (const bool wide : {false, true}) {
        for (const int rows : {40, 300, 900}) {
          for (const bool evenly : {true, false}) {
            Layout layout;
            layout.add("x", wide ? 200 : 120, wide ? 120 : 200, order);
            const Held h = of(*projection, layout.slices[0], rows, evenly);
            SCOPED_TRACE(fmt::format("{}, {} x {}, {} rows, {}", name, wide ? 200 : 120,
                                     wide ? 120 : 200, rows, evenly ? "evenly" : "gathered"));
            EXPECT_LE(h.bytes, h.declared);
            // What is gathered is declared for all; the least that more than 64 terms need, too.
            EXPECT_GE(h.bytes, !evenly && rows > 64 ? h.declared * 7 / 10 : 0);
          }
        }
      }
    }
  }
}

// A convolution's gradient comes whole: the same rows and steps, with no square of its side held.
TEST(ProjectedScratchTest, AWholeGradientTakesALine) {
  for (const char* name : {"grass", "galore", "flora"}) {
    for (const Order order : {Order::kInOut, Order::kOutIn}) {
      const auto made = optimizer(name, {{"learning_rate", "0.02"}, {"rank", "8"}});
      OneLayer by_factors(made, 40, 100, order), whole(made, 40, 100, order);
      std::vector<float> g(4000), stored(4000);
      Numbers(7).fill(g);
      by_factors.step(g, 0.02);
      Layout layout;
      layout.add("x", 40, 100, order);
      from_row_major(layout.slices[0], g, stored);
      ProjectedWeights& weights = whole.weights();
      weights.begin_step(Stream(1, "step", 0, 0));
      weights.clear_gradient();
      const std::int64_t bytes = held([&] { weights.add_gradient(0, stored); });
      Cost cost;
      cost.rows = 1;
      made->training()->cost(dense_shape(std::make_shared<Layout>(layout)), *made, cost);
      const std::int64_t gradient = cost.memory.gradients.value();
      EXPECT_LE(bytes, cost.memory.scratch.value() + gradient + weights.kept().value()) << name;
      State moments;
      weights.step(*made, 0.02, moments);
      const std::vector<float> a = by_factors.values(), b = whole.values();
      for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6) << name;
    }
  }
}

}  // namespace
}  // namespace skiff::testing

// The law of averaging of HIGGS as a wire format.

#include <gtest/gtest.h>

#include <cmath>

#include "algorithms/codec.h"
#include "algorithms/kernels/gaussian_grids.h"
#include "sim/core/distributions.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr int kValues = 8192;

LayoutPtr flat(int n) {
  auto layout = std::make_shared<Layout>();
  layout->add("all", n, 1);
  return layout;
}

std::shared_ptr<const Codec> higgs(const char* bits, const char* scale) {
  Node map;
  map.set("name", Node::scalar("higgs"));
  map.set("bits", Node::scalar(bits));
  map.set("scale", Node::scalar(scale));
  return Registry<Codec>::instance().make(map);
}

std::vector<float> gaussian(int n) {
  Stream stream(5, "higgs codec");
  std::vector<float> v(static_cast<std::size_t>(n));
  for (float& x : v) x = static_cast<float>(0.003 * normal(stream));
  return v;
}

// |mean of `messages` decoded - v|^2 / |v|^2.
double error_of_mean(const Codec& codec, int messages) {
  const std::vector<float> v = gaussian(kValues);
  const LayoutPtr layout = flat(kValues);
  std::vector<double> mean(v.size());
  for (int m = 0; m < messages; ++m) {
    std::vector<float> sent = v;
    State none;
    codec.encode(*layout, sent, none, Stream(7, "message", static_cast<std::uint64_t>(m)));
    for (std::size_t i = 0; i < v.size(); ++i) mean[i] += double{sent[i]} / messages;
  }
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    error += std::pow(mean[i] - double{v[i]}, 2);
    norm += double{v[i]} * double{v[i]};
  }
  return error / norm;
}

TEST(HiggsCodec, AMeanOfMessagesFollowsTheLawOfItsScale) {
  for (const int bits : {2, 4}) {
    const double d = kernels::find_gaussian_grid(2, 1 << (2 * bits))->distortion;
    const auto text = std::to_string(bits);
    for (const int m : {1, 10, 100}) {
      SCOPED_TRACE(text + " bits, " + std::to_string(m) + " messages");
      const double right = d / ((1 - d) * m), least = d * d + d * (1 - d) / m;
      EXPECT_NEAR(error_of_mean(*higgs(text.c_str(), "unbiased"), m), right, 0.1 * right);
      EXPECT_NEAR(error_of_mean(*higgs(text.c_str(), "mse"), m), least, 0.1 * least);
    }
  }
}

TEST(HiggsCodec, AValueTakesItsBitsAndAGroupItsScale) {
  // 8192 values: 8 groups of 1024, 4 bits each.
  EXPECT_EQ(higgs("4", "mse")->bytes(*flat(kValues)), Bytes(10 + 8 * 2 + kValues / 2));
  // 100 values: 13 groups of 8, 7 of 16, 4 of 32, 2 of 64, or 1 of 128, which takes the least.
  EXPECT_EQ(higgs("4", "mse")->bytes(*flat(100)), Bytes(10 + 1 * 2 + 128 / 2));
}

TEST(HiggsCodec, PowersOfTwoChangeTheExponentAlone) {
  const auto codec = higgs("4", "unbiased");
  const LayoutPtr layout = flat(kValues);
  std::vector<float> small = gaussian(kValues), large = small;
  for (float& x : large) x = std::ldexp(x, 40);
  State none;
  const Payload a = codec->encode(*layout, small, none, Stream(1, "x"));
  const Payload b = codec->encode(*layout, large, none, Stream(1, "x"));
  for (std::size_t i = 0; i < small.size(); ++i) EXPECT_EQ(std::ldexp(small[i], 40), large[i]);
  EXPECT_TRUE(std::equal(a.bytes.begin() + 10, a.bytes.end(), b.bytes.begin() + 10));
}

}  // namespace
}  // namespace skiff

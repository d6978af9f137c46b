#include "algorithms/kernels/convolution.h"

#include "algorithms/kernels/pooling.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::Numbers;

struct Image {
  std::vector<float> data;
  int height, width, channels;

  bool has_row(int y) const { return y >= 0 && y < height; }
  float& at(int y, int x, int c) {
    return data[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
  float read(int y, int x, int c) const {  // columns outside count as zeros
    if (x < 0 || x >= width) return 0;
    return data[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
};

Image image(Numbers& numbers, int height, int width, int channels) {
  return {numbers.floats(Convolution::size(height, width, channels)), height, width, channels};
}

float weight(const std::vector<float>& w, const Convolution& s, int ky, int kx, int i, int o) {
  return w[static_cast<std::size_t>(((ky * s.kernel + kx) * s.in + i) * s.out + o)];
}

Image forward_reference(const Image& x, const std::vector<float>& w, const float* bias,
                        const Convolution& s) {
  Image y{std::vector<float>(s.outputs()), s.out_height(), s.out_width(), s.out};
  for (int py = 0; py < y.height; ++py) {
    for (int px = 0; px < y.width; ++px) {
      for (int o = 0; o < s.out; ++o) {
        float sum = bias == nullptr ? 0.0F : bias[o];
        for (int ky = 0; ky < s.kernel; ++ky) {
          const int row = s.stride * py + ky - s.pad();
          if (!x.has_row(row)) continue;
          for (int kx = 0; kx < s.kernel; ++kx) {
            for (int i = 0; i < s.in; ++i) {
              sum = std::fma(x.read(row, s.stride * px + kx - s.pad(), i),
                             weight(w, s, ky, kx, i, o), sum);
            }
          }
        }
        y.at(py, px, o) = sum;
      }
    }
  }
  return y;
}

Image input_reference(const Image& dy, const std::vector<float>& w, const Convolution& s) {
  Image dx{std::vector<float>(s.inputs()), s.height, s.width, s.in};
  for (int qy = 0; qy < s.height; ++qy) {
    for (int qx = 0; qx < s.width; ++qx) {
      for (int i = 0; i < s.in; ++i) {
        float sum = 0;
        for (int ky = s.kernel - 1; ky >= 0; --ky) {
          const int row = qy - ky + s.pad();
          if (row % s.stride != 0 || !dy.has_row(row / s.stride)) continue;
          for (int kx = s.kernel - 1; kx >= 0; --kx) {
            const int column = qx - kx + s.pad();
            if (column % s.stride != 0) continue;
            for (int o = 0; o < s.out; ++o) {
              sum = std::fma(dy.read(row / s.stride, column / s.stride, o),
                             weight(w, s, ky, kx, i, o), sum);
            }
          }
        }
        dx.at(qy, qx, i) = sum;
      }
    }
  }
  return dx;
}

void weight_reference(std::vector<float>& dw, const Image& x, const Image& dy, const Convolution& s,
                      bool old) {
  std::size_t at = 0;
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      for (int i = 0; i < s.in; ++i) {
        for (int o = 0; o < s.out; ++o, ++at) {
          float sum = old ? dw[at] : 0;
          for (int py = 0; py < dy.height; ++py) {
            if (!x.has_row(s.stride * py + ky - s.pad())) continue;
            for (int px = 0; px < dy.width; ++px) {
              sum = std::fma(x.read(s.stride * py + ky - s.pad(), s.stride * px + kx - s.pad(), i),
                             dy.read(py, px, o), sum);
            }
          }
          dw[at] = sum;
        }
      }
    }
  }
}

std::vector<Convolution> shapes() {
  std::vector<Convolution> all;
  for (const Padding padding : {Padding::kValid, Padding::kSame}) {
    for (const int kernel : {1, 2, 3, 5}) {
      for (const int in : {1, 3, 8, 16}) {
        for (const int out : {1, 7, 8, 16, 19, 32}) {
          all.push_back({6 + in % 3, 5 + out % 9, in, out, kernel, padding});
        }
      }
    }
    all.push_back({28, 28, 1, 8, 5, padding});
    all.push_back({12, 12, 8, 16, 5, padding});
    all.push_back({14, 14, 8, 16, 5, padding});
    all.push_back({6, 14, 8, 16, 5, padding});
    all.push_back({9, 33, 32, 40, 3, padding});
    for (const int kernel : {1, 2, 3, 5}) {
      for (const int out : {1, 8, 19, 64}) {
        all.push_back({7, 9, 3, out, kernel, padding, 2});
        all.push_back({8, 8, 16, out, kernel, padding, 2});
        all.push_back({11, 13, 8, out, kernel, padding, 3});
      }
    }
  }
  return all;
}

std::string name(const Convolution& s) {
  return ::testing::PrintToString(std::vector<int>{s.height, s.width, s.in, s.out, s.kernel,
                                                   s.padding == Padding::kSame ? 1 : 0, s.stride});
}

TEST(ConvolutionTest, ForwardEqualsTheNaiveLoop) {
  Numbers numbers(1);
  for (const Convolution& s : shapes()) {
    const Image x = image(numbers, s.height, s.width, s.in);
    const std::vector<float> w = numbers.floats(s.weights());
    const std::vector<float> bias = numbers.floats(static_cast<std::size_t>(s.out));
    std::vector<float> scratch(convolution_scratch(s)), y(s.outputs());
    convolution_forward(y, x.data, w, {}, s, scratch);
    ASSERT_EQ(differing(y, forward_reference(x, w, nullptr, s).data), 0) << name(s);
    convolution_forward(y, x.data, w, bias, s, scratch, Activation::kRelu);
    Image expected = forward_reference(x, w, bias.data(), s);
    for (float& v : expected.data) v = 0 > v ? 0 : v;
    ASSERT_EQ(differing(y, expected.data), 0) << name(s);
  }
}

TEST(ConvolutionTest, InputGradientEqualsTheNaiveLoop) {
  Numbers numbers(2);
  for (const Convolution& s : shapes()) {
    const Image dy = image(numbers, s.out_height(), s.out_width(), s.out);
    const std::vector<float> w = numbers.floats(s.weights());
    std::vector<float> scratch(convolution_scratch(s)), dx(s.inputs()), flipped(w.size());
    convolution_flip(flipped, w, s);
    convolution_input_gradient(dx, dy.data, flipped, s, scratch);
    ASSERT_EQ(differing(dx, input_reference(dy, w, s).data), 0) << name(s);
  }
}

TEST(ConvolutionTest, WeightGradientEqualsTheNaiveLoop) {
  Numbers numbers(3);
  for (const Convolution& s : shapes()) {
    std::vector<float> scratch(convolution_scratch(s)), dw(s.weights()), expected(s.weights());
    for (const bool old : {false, true}) {  // two images of a batch
      const Image x = image(numbers, s.height, s.width, s.in);
      const Image dy = image(numbers, s.out_height(), s.out_width(), s.out);
      convolution_weight_gradient(dw, x.data, dy.data, s, scratch,
                                  old ? Output::kAdd : Output::kOverwrite);
      weight_reference(expected, x, dy, s, old);
      ASSERT_EQ(differing(dw, expected), 0) << name(s);
    }
  }
}

TEST(ConvolutionTest, GradientsAreTheAdjointsOfForward) {
  Numbers numbers(4);
  const Convolution s{7, 6, 3, 5, 3, Padding::kSame};
  const Image x = image(numbers, s.height, s.width, s.in);
  const Image dy = image(numbers, s.height, s.width, s.out);
  const std::vector<float> w = numbers.floats(s.weights());
  std::vector<float> scratch(convolution_scratch(s)), y(s.outputs()), dx(s.inputs());
  std::vector<float> dw(s.weights()), flipped(s.weights());
  convolution_forward(y, x.data, w, {}, s, scratch);
  convolution_flip(flipped, w, s);
  convolution_input_gradient(dx, dy.data, flipped, s, scratch);
  convolution_weight_gradient(dw, x.data, dy.data, s, scratch, Output::kOverwrite);
  const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
  };
  EXPECT_NEAR(dot(y, dy.data), dot(x.data, dx), 1e-4);
  EXPECT_NEAR(dot(y, dy.data), dot(w, dw), 1e-4);
}

TEST(PoolingTest, WinnersAndTheWayBack) {
  Numbers numbers(5);
  for (const int channels : {1, 3, 8, 11, 16}) {
    for (const auto& [height, width] : std::vector<std::pair<int, int>>{{2, 2}, {4, 6}, {5, 7}}) {
      const Pooling s{height, width, channels};
      Image x = image(numbers, height, width, channels);
      for (float& v : x.data) v = std::round(v * 2);  // ties
      const Image d = image(numbers, height / 2, width / 2, channels);
      Image pooled = d, expected = d, rectified = d;
      Image dx{std::vector<float>(x.data.size(), 7), height, width, channels};
      Image zeros{std::vector<float>(x.data.size(), 0), height, width, channels};
      Image dx_relu = dx, expected_dx = zeros, expected_dx_relu = zeros;
      std::vector<std::uint8_t> winner(d.data.size());
      for (int y = 0; y < height / 2; ++y) {
        for (int column = 0; column < width / 2; ++column) {
          for (int c = 0; c < channels; ++c) {
            int best = 0;
            const auto value = [&](int q) { return x.read(2 * y + q / 2, 2 * column + q % 2, c); };
            for (int q = 1; q < 4; ++q) best = value(q) > value(best) ? q : best;
            expected.at(y, column, c) = value(best);
            const float gradient = d.read(y, column, c);
            expected_dx.at(2 * y + best / 2, 2 * column + best % 2, c) = gradient;
            expected_dx_relu.at(2 * y + best / 2, 2 * column + best % 2, c) =
                value(best) > 0 ? gradient : 0;
          }
        }
      }
      max_pool(pooled.data, winner, x.data, s);
      ASSERT_EQ(differing(pooled.data, expected.data), 0);
      max_unpool(dx.data, d.data, winner, s);
      ASSERT_EQ(differing(dx.data, expected_dx.data), 0);
      max_pool(rectified.data, winner, x.data, s, Activation::kRelu);
      for (float& v : expected.data) v = 0 > v ? 0 : v;
      ASSERT_EQ(differing(rectified.data, expected.data), 0);
      max_unpool_relu(dx_relu.data, d.data, winner, rectified.data, s);
      ASSERT_EQ(differing(dx_relu.data, expected_dx_relu.data), 0);
    }
  }
}

TEST(PoolingTest, NotANumberWins) {
  for (std::size_t place = 0; place < 4; ++place) {
    std::vector<float> x = {1, 2, 3, 4};
    x[place] = NAN;
    std::vector<float> pooled(1);
    std::vector<std::uint8_t> winner(1);
    max_pool(pooled, winner, x, {2, 2, 1});
    EXPECT_TRUE(std::isnan(pooled[0]));
    EXPECT_EQ(winner[0], place);
  }
}

}  // namespace
}  // namespace skiff::kernels

// Every codec, with every good value of each of its parameters.

#include <bit>
#include <cmath>
#include <limits>

#include "algorithms/codec.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {
namespace {

std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n <= 300; ++n) all.push_back(n);
  all.push_back(199210);
  return all;
}

Stream stream(std::uint64_t draw) { return {11, "codec contract", 0, draw}; }

std::vector<float> example(std::size_t n, std::uint64_t draw = 0) {
  std::vector<float> v(n);
  Stream s(3, "codec contract values", n, draw);
  for (float& x : v) {
    const float sign = s.below(2) == 0 ? -1.0f : 1.0f;
    x = s.below(10) == 0 ? 0.0f : sign * std::ldexp(s.uniform_float(), int(s.below(20)) - 12);
  }
  return v;
}

std::vector<std::uint32_t> bits(std::span<const float> v) {
  std::vector<std::uint32_t> words;
  for (const float x : v) words.push_back(std::bit_cast<std::uint32_t>(x));
  return words;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
  return sum;
}

class CodecContract : public ::testing::Test {
 protected:
  // Calls test(codec) for every variant.
  template <class Test>
  static void for_codecs(Test test) {
    for (const Variant<Codec>& v : all_variants<Codec>()) {
      SCOPED_TRACE(v.text);
      test(*v.object);
    }
  }
};

TEST_F(CodecContract, DeclaredBytesAreEncodedBytes) {
  for_codecs([](const Codec& codec) {
    for (const std::size_t n : sizes()) {
      const LayoutPtr layout = flat_layout(n);
      State state;
      std::vector<float> v = example(n);
      const Bytes encoded = codec.encode(*layout, v, state, stream(0)).size();
      if (codec.size_depends_on_data()) {
        EXPECT_LE(encoded, codec.bytes(*layout)) << n;
      } else {
        EXPECT_EQ(encoded, codec.bytes(*layout)) << n;
      }
    }
  });
}

TEST_F(CodecContract, TheSenderSeesWhatTheReceiverReads) {
  for_codecs([](const Codec& codec) {
    for (const std::size_t n : sizes()) {
      const LayoutPtr layout = flat_layout(n);
      State state;
      for (std::uint64_t round = 0; round < 3; ++round) {
        std::vector<float> v = example(n, round), read(n, 99.0f);
        codec.decode(*layout, codec.encode(*layout, v, state, stream(round)), read);
        ASSERT_EQ(bits(read), bits(v)) << n << " round " << round;
      }
    }
  });
}

TEST_F(CodecContract, TheSameStreamGivesTheSameBytes) {
  for_codecs([](const Codec& codec) {
    const LayoutPtr layout = flat_layout(1000);
    State a, b;
    for (std::uint64_t round = 0; round < 3; ++round) {
      std::vector<float> u = example(1000, round), v = u;
      EXPECT_EQ(codec.encode(*layout, u, a, stream(round)).bytes,
                codec.encode(*layout, v, b, stream(round)).bytes);
    }
    EXPECT_EQ(a.save(), b.save());
  });
}

TEST_F(CodecContract, StateBytesAreWhatIsKept) {
  for_codecs([](const Codec& codec) {
    for (const std::size_t n : {1, 64, 1000}) {
      const LayoutPtr layout = flat_layout(n);
      State state;
      std::vector<float> v = example(n);
      codec.encode(*layout, v, state, stream(0));
      EXPECT_EQ(state.bytes(), codec.state_bytes(*layout)) << n;
      EXPECT_EQ(codec.keeps_state(), state.bytes() > Bytes(0));
    }
  });
}

// Of the bare codec: each draw starts without memory. 4,000 draws, six standard errors.
TEST_F(CodecContract, StatedConstantsHold) {
  constexpr int kDraws = 4000;
  for_codecs([](const Codec& codec) {
    for (const std::size_t n : {7, 64, 600}) {
      const LayoutPtr layout = flat_layout(n);
      const std::vector<float> v = example(n);
      const double norm = squared_distance(v, std::vector<float>(n));
      std::vector<double> mean(n);
      double error = 0, squares = 0;
      for (std::uint64_t t = 0; t < kDraws; ++t) {
        std::vector<float> sent = v;
        State state;
        codec.encode(*layout, sent, state, stream(t));
        const double e = squared_distance(sent, v) / norm;
        error += e / kDraws;
        squares += e * e / kDraws;
        for (std::size_t j = 0; j < n; ++j) mean[j] += (double(sent[j]) - double(v[j])) / kDraws;
      }
      const double noise = 6 * std::sqrt(std::max(0.0, squares - error * error) / kDraws) + 1e-9;
      if (codec.variance(n) >= 0) {
        EXPECT_LE(error, codec.variance(n) + noise) << n;
      }
      if (codec.contraction(n) >= 0) {
        EXPECT_LE(error, 1 - codec.contraction(n) + noise) << n;
      }
      if (!codec.unbiased()) continue;
      EXPECT_GE(codec.variance(n), 0);
      double bias = 0;
      for (const double m : mean) bias += m * m / norm;
      // The last term: an entry whose level is all but certain may never have been rounded away.
      EXPECT_LE(std::sqrt(bias), 3 * std::sqrt(error / kDraws) + 2.0 / kDraws) << n;
    }
  });
}

TEST_F(CodecContract, PayloadsOfAnotherLengthAreRefused) {
  for_codecs([](const Codec& codec) {
    const LayoutPtr layout = flat_layout(50);
    State state;
    std::vector<float> v = example(50), read(50);
    const Payload payload = codec.encode(*layout, v, state, stream(0));
    for (std::size_t n = 0; n < payload.bytes.size(); ++n) {
      Payload cut = payload;
      cut.bytes.resize(n);
      EXPECT_THROW(codec.decode(*layout, cut, read), DataError) << n;
    }
    Payload longer = payload;
    longer.bytes.push_back(std::byte{0});
    EXPECT_THROW(codec.decode(*layout, longer, read), DataError);
  });
}

// Whatever arrives, decode answers with finite numbers or a DataError.
TEST_F(CodecContract, DamagedPayloadsNeverDoHarm) {
  for_codecs([](const Codec& codec) {
    const LayoutPtr layout = flat_layout(131);
    State state;
    std::vector<float> v = example(131), read(131);
    const Payload payload = codec.encode(*layout, v, state, stream(0));
    Stream chance(5, "damage");
    for (int t = 0; t < 2000; ++t) {
      Payload damaged = payload;
      const auto size = static_cast<std::uint32_t>(payload.bytes.size());
      for (std::uint32_t hits = 1 + chance.below(4); hits > 0; --hits) {
        damaged.bytes[chance.below(size)] = static_cast<std::byte>(chance.below(256));
      }
      try {
        codec.decode(*layout, damaged, read);
        for (const float x : read) ASSERT_TRUE(std::isfinite(x));
      } catch (const DataError&) {
      }
    }
  });
}

TEST_F(CodecContract, ExtremeNumbersStayFinite) {
  constexpr float most = std::numeric_limits<float>::max();
  for_codecs([](const Codec& codec) {
    for (const float size : {0.0f, 1e-45f, 1e-38f, most}) {
      const LayoutPtr layout = flat_layout(70);
      State state;
      for (std::uint64_t round = 0; round < 4; ++round) {
        std::vector<float> v(70, size), read(70);
        for (std::size_t j = 0; j < 70; j += 2 + round) v[j] = -size;
        codec.decode(*layout, codec.encode(*layout, v, state, stream(round)), read);
        for (const float x : read) ASSERT_TRUE(std::isfinite(x)) << size;
        ASSERT_EQ(bits(read), bits(v));
      }
    }
  });
}

TEST_F(CodecContract, NumbersThatAreNotFiniteAreRefusedAsABug) {
  for_codecs([](const Codec& codec) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      const LayoutPtr layout = flat_layout(20);
      State state;
      std::vector<float> v = example(20);
      v[13] = bad;
      EXPECT_THROW(codec.encode(*layout, v, state, stream(0)), std::logic_error);
      EXPECT_TRUE(state.empty());
    }
  });
}

TEST_F(CodecContract, WithoutAServerHalfTheMeanIsTheDirection) {
  for_codecs([](const Codec& codec) {
    std::vector<float> mean = example(30);
    const std::vector<float> before = mean;
    State server;
    codec.combine(mean, 0.5, server);
    EXPECT_EQ(codec.has_server_half(), !server.empty());
    if (!codec.has_server_half()) {
      EXPECT_EQ(bits(mean), bits(before));
    }
  });
}

// From a saved state everything goes on as if nothing had happened.
TEST_F(CodecContract, SavedStatesContinueIdentically) {
  for_codecs([](const Codec& codec) {
    const LayoutPtr layout = flat_layout(90);
    State state;
    std::vector<float> v = example(90, 0);
    codec.encode(*layout, v, state, stream(0));
    State restored = State::load(state.save());
    std::vector<float> a = example(90, 1), b = a;
    EXPECT_EQ(codec.encode(*layout, a, state, stream(1)).bytes,
              codec.encode(*layout, b, restored, stream(1)).bytes);
    EXPECT_EQ(bits(a), bits(b));
  });
}

}  // namespace
}  // namespace skiff::testing

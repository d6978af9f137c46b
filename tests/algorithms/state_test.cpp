#include "algorithms/state.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace skiff {
namespace {

State example() {
  State state;
  const std::span<float> h = state.array<float>("h", 3);
  h[0] = -0.0f;
  h[1] = std::bit_cast<float>(0x7fc01234u);  // a NaN with a payload
  h[2] = 1e-45f;
  state.array<double>("control", 2)[1] = 0.1;
  state.array<std::uint8_t>("codes", 5)[4] = 255;
  state.array<std::int64_t>("empty", 0);
  return state;
}

TEST(StateTest, ArraysAreZeroOnFirstUseAndKeptAfterwards) {
  State state;
  EXPECT_TRUE(state.empty());
  EXPECT_FALSE(state.has("h"));
  for (const float x : state.array<float>("h", 1000))
    EXPECT_EQ(std::bit_cast<std::uint32_t>(x), 0u);
  state.array<float>("h", 1000)[7] = 3;
  EXPECT_EQ(state.array<float>("h", 1000)[7], 3);
  EXPECT_TRUE(state.has("h"));
}

TEST(StateTest, SpansStayValidWhileOtherArraysComeAndGo) {
  State state;
  const std::span<double> kept = state.array<double>("m", 4);
  kept[3] = 2;
  for (int i = 0; i < 100; ++i) state.array<float>("other " + std::to_string(i), 50);
  for (int i = 0; i < 100; ++i) state.erase("other " + std::to_string(i));
  EXPECT_EQ(kept.data(), state.array<double>("m", 4).data());
  EXPECT_EQ(kept[3], 2);
}

TEST(StateTest, BytesCountTheContents) {
  EXPECT_EQ(State().bytes(), Bytes(0));
  EXPECT_EQ(example().bytes(), Bytes(3 * 4 + 2 * 8 + 5));
}

TEST(StateTest, AnErasedArrayStartsAgainAtZero) {
  State state = example();
  state.erase("control");
  EXPECT_FALSE(state.has("control"));
  EXPECT_EQ(state.array<double>("control", 2)[1], 0);
  state.erase("never there");
}

TEST(StateTest, AnotherShapeIsABug) {
  State state = example();
  EXPECT_THROW(state.array<float>("h", 4), std::logic_error);
  EXPECT_THROW(state.array<double>("h", 3), std::logic_error);
  EXPECT_THROW((state.array<std::uint8_t>("h", 12)), std::logic_error);
}

TEST(StateTest, CopiesAreIndependent) {
  State a = example();
  State b = a;
  b.array<double>("control", 2)[1] = 5;
  EXPECT_EQ((a.array<double>("control", 2)[1]), 0.1);
}

TEST(StateTest, SaveAndLoadKeepEveryBit) {
  State before = example();
  State after = State::load(before.save());
  EXPECT_EQ(after.save(), before.save());
  EXPECT_EQ(std::bit_cast<std::uint32_t>(after.array<float>("h", 3)[1]), 0x7fc01234u);
  EXPECT_EQ(after.array<double>("control", 2)[1], 0.1);
  EXPECT_EQ(after.array<std::uint8_t>("codes", 5)[4], 255);
  EXPECT_TRUE(after.has("empty"));
  EXPECT_TRUE(State::load(State().save()).empty());
}

TEST(StateTest, TheOrderOfFirstUseDoesNotShow) {
  State a, b;
  a.array<float>("x", 1), a.array<float>("y", 2);
  b.array<float>("y", 2), b.array<float>("x", 1);
  EXPECT_EQ(a.save(), b.save());
}

TEST(StateTest, ASaveThatWasCutIsRefused) {
  const std::string text = example().save();
  for (std::size_t n = 0; n < text.size(); ++n) {
    EXPECT_THROW(State::load(std::string_view(text).substr(0, n)), DataError) << n;
  }
  EXPECT_THROW(State::load(text + '\0'), DataError);
}

// Whatever byte is damaged, load answers with a State or a DataError: never a crash or a bug.
TEST(StateTest, ADamagedSaveIsRefusedOrReadButNeverABug) {
  const std::string text = example().save();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      try {
        State::load(damaged);
      } catch (const DataError&) {
      }
    }
  }
}

TEST(StateTest, NamesThatRepeatOrDescendAreRefused) {
  State one, two;
  one.array<float>("x", 1);
  two.array<float>("x", 2);
  const std::string a = one.save(), b = two.save();
  constexpr std::size_t kHead = 16;  // magic and count
  std::string both = a.substr(0, kHead) + a.substr(kHead) + b.substr(kHead);
  both[8] = 2;
  EXPECT_THROW(State::load(both), DataError);
}

}  // namespace
}  // namespace skiff

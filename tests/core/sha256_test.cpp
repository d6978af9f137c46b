#include "sim/core/sha256.h"

#include <gtest/gtest.h>

namespace skiff {
namespace {

// FIPS 180-4's examples (NIST, "Examples with Intermediate Values").
TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PiecesGiveTheDigestOfTheWhole) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  for (const std::size_t piece : {1u, 3u, 55u, 56u, 63u, 64u, 65u, 128u, 999u}) {
    Sha256 sha;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      sha.update(std::string_view(text).substr(at, piece));
    }
    EXPECT_EQ(sha.hex(), sha256_hex(text)) << piece;
  }
}

TEST(Sha256Test, TwoStreamsAtOnceGiveTheDigestsOfEach) {
  const std::string text(5000, 'x');
  const auto bytes = [&](std::size_t n) { return std::as_bytes(std::span(text).first(n)); };
  for (const auto& [m, n] : {std::pair{0, 0}, {64, 64}, {640, 128}, {100, 4999}, {63, 65}}) {
    Sha256 a, b;
    for (int turn = 0; turn < 3; ++turn) Sha256::update_both(a, bytes(m), b, bytes(n));
    EXPECT_EQ(a.hex(), sha256_hex(std::string(3 * m, 'x'))) << m << " " << n;
    EXPECT_EQ(b.hex(), sha256_hex(std::string(3 * n, 'x'))) << m << " " << n;
  }
}

TEST(Sha256Test, MoreMayFollowADigest) {
  Sha256 sha;
  sha.update(std::string_view("a"));
  EXPECT_EQ(sha.hex(), sha256_hex("a"));
  sha.update(std::string_view("bc"));
  EXPECT_EQ(sha.hex(), sha256_hex("abc"));
}

}  // namespace
}  // namespace skiff

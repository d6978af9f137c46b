// What the codec tests share: codecs by name, flat layouts, and the reference vector
// v_j = sin(1 + j) whose exact error constants are known.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/codec.h"
#include "sim/core/registry.h"

namespace skiff::testing {

using Parameters = std::initializer_list<std::pair<const char*, const char*>>;

inline std::shared_ptr<const Codec> codec(const std::string& name, Parameters parameters = {}) {
  Node map;
  map.kind = Node::Kind::kMap;
  map.set("name", Node::scalar(name));
  for (const auto& [key, value] : parameters) map.set(key, Node::scalar(value));
  return Registry<Codec>::instance().make(map);
}

inline std::vector<float> sines(std::size_t n) {
  std::vector<float> v(n);
  for (std::size_t j = 0; j < n; ++j) v[j] = static_cast<float>(std::sin(1.0 + double(j)));
  return v;
}

inline Stream stream(std::uint64_t index = 0) { return {7, "codec test", 0, index}; }

// Encodes v in place with a state of its own unless one is given.
inline Payload encode(const Codec& codec, std::vector<float>& v, State* state = nullptr,
                      std::uint64_t draw = 0) {
  State own;
  return codec.encode(*flat_layout(v.size()), v, state != nullptr ? *state : own, stream(draw));
}

inline std::vector<float> decode(const Codec& codec, const Payload& payload, std::size_t n) {
  std::vector<float> out(n, -1.0f);
  codec.decode(*flat_layout(n), payload, out);
  return out;
}

inline std::int64_t declared(const Codec& codec, std::size_t n) {
  return codec.bytes(*flat_layout(n)).value();
}

inline double squared_norm(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += double(x) * double(x);
  return sum;
}

// |C(v) - v|^2 / |v|^2 of one message.
inline double relative_error(const Codec& codec, const std::vector<float>& v,
                             std::uint64_t draw = 0) {
  std::vector<float> sent = v;
  encode(codec, sent, nullptr, draw);
  for (std::size_t j = 0; j < v.size(); ++j) sent[j] -= v[j];
  return squared_norm(sent) / squared_norm(v);
}

struct MonteCarlo {
  double variance = 0;  // mean of |C(v) - v|^2 / |v|^2
  double bias = 0;      // |mean of C(v) - v| / |v|
};
inline MonteCarlo monte_carlo(const Codec& codec, const std::vector<float>& v, int draws) {
  std::vector<double> mean(v.size());
  MonteCarlo result;
  for (int t = 0; t < draws; ++t) {
    std::vector<float> sent = v;
    encode(codec, sent, nullptr, static_cast<std::uint64_t>(t));
    for (std::size_t j = 0; j < v.size(); ++j) {
      const double error = double(sent[j]) - double(v[j]);
      result.variance += error * error;
      mean[j] += error;
    }
  }
  double bias = 0;
  for (const double m : mean) bias += m * m;
  result.variance /= draws * squared_norm(v);
  result.bias = std::sqrt(bias / squared_norm(v)) / draws;
  return result;
}

inline std::vector<std::uint32_t> bits(const std::vector<float>& v) {
  std::vector<std::uint32_t> words;
  for (const float x : v) words.push_back(std::bit_cast<std::uint32_t>(x));
  return words;
}

inline std::vector<int> octets(const Payload& payload) {
  std::vector<int> all;
  for (const std::byte b : payload.bytes) all.push_back(static_cast<int>(b));
  return all;
}

inline void put_float(Payload& payload, std::size_t offset, float value) {
  std::memcpy(payload.bytes.data() + offset, &value, sizeof value);
}

}  // namespace skiff::testing

// Words of the language whose codecs this version does not have, with their keys.

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct Keys {
  int bits = 4;
};

bool plan(Description about, const Schema<Keys>& keys) {
  return detail::register_planned<Codec>(std::move(about), keys.describe());
}

Schema<Keys> with_bits(const std::string& codec) {
  Schema<Keys> s;
  s.field("bits", &Keys::bits, "bits of a value").required(required_by(codec)).in(1, 8);
  return s;
}

[[maybe_unused]] const bool registered[] = {
    plan({.name = "higgs",
          .summary = "randomized Hadamard rotation and Gaussian-optimal grids",
          .paper = "Malinovskii et al. 2024, arXiv:2411.17525"},
         with_bits("higgs"))};

}  // namespace
}  // namespace skiff

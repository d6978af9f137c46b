// Words of the language whose codecs this version does not have, with their keys.

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct Keys {
  int rank = 1;
  int bits = 4;
  double density = 0;
  double full_probability = 0;
};

bool plan(Description about, const Schema<Keys>& keys) {
  return detail::register_planned<Codec>(std::move(about), keys.describe());
}

Schema<Keys> with_rank(const std::string& codec) {
  Schema<Keys> s;
  s.field("rank", &Keys::rank, "columns of the two factors of a matrix")
      .required(required_by(codec))
      .at_least(1);
  return s;
}
Schema<Keys> with_bits(const std::string& codec) {
  Schema<Keys> s;
  s.field("bits", &Keys::bits, "bits of a value").required(required_by(codec)).in(1, 8);
  return s;
}
Schema<Keys> with_density(const std::string& codec) {
  Schema<Keys> s;
  add_density(s, codec);
  return s;
}
Schema<Keys> with_density_and_coin(const std::string& codec) {
  Schema<Keys> s = with_density(codec);
  s.field("full_probability", &Keys::full_probability,
          "chance that a round sends the whole gradient")
      .required(required_by(codec))
      .fraction()
      .above(0);
  return s;
}

[[maybe_unused]] const bool registered[] = {
    plan({.name = "powersgd",
          .summary = "low-rank factors by power iteration",
          .paper = "Vogels et al. 2019, arXiv:1905.13727"},
         with_rank("powersgd")),
    plan({.name = "diana",
          .summary = "unbiased compression of the change against a learned shift",
          .paper = "Mishchenko et al. 2019, arXiv:1901.09269"},
         with_density("diana")),
    plan({.name = "marina",
          .summary = "unbiased compression of gradient differences, now and then a full one",
          .paper = "Gorbunov et al. 2021, arXiv:2102.07845"},
         with_density_and_coin("marina")),
    plan({.name = "higgs",
          .summary = "randomized Hadamard rotation and Gaussian-optimal grids",
          .paper = "Malinovskii et al. 2024, arXiv:2411.17525"},
         with_bits("higgs"))};

}  // namespace
}  // namespace skiff

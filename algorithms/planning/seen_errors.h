// What a layer lost, as its inputs see it: the relative error that stands for t_l^2 in the
// linearity theorem, of whatever a compressor left.
//
//   e_l = n tr(E H E^T) / (|W|^2 tr H),  E = What - W: m x n,  H = sum x x^T over the layer's
//   inputs
// To second order the growth of the loss weighs E by what comes in, and Gaussian noise, by which
// the slopes a_l are measured (Malinovskii et al. 2024, arXiv:2411.17525), has e_l = t_l^2 = |E|^2
// / |W|^2 on average. Rounding to nearest has about its t_l^2 too; a quantizer that turns its
// errors to where nothing comes in (gptq) has a larger t_l^2 and a smaller e_l, and a table of
// Gaussian sources would know neither. Layers whose inputs are not heard (convolutions), and all
// layers without samples, have t_l^2 itself. Immutable once made; memory n^2 floats for each group
// of layers that read the same.
#pragma once

#include <vector>

#include "algorithms/calibration.h"
#include "algorithms/models/layout.h"

namespace skiff {

class SeenErrors {
 public:
  // `calibration` may be null; both need not outlive the constructor.
  SeenErrors(Vector weights, const Calibration* calibration);
  // By slice; 0 where nothing changed, and where there is nothing to lose. `what`: the same layout.
  std::vector<double> of(const Vector& what) const;

 private:
  struct Inputs {
    int width = 0;
    std::vector<float> gram;
    double trace = 0;
  };
  double seen(const Slice& slice, const Inputs& inputs, const Vector& what) const;

  Vector weights_;
  std::vector<Inputs> groups_;
  std::vector<std::size_t> group_of_;  // by slice; groups_.size(): not heard
};

}  // namespace skiff

// What becomes of factors of unequal ranks, trained from the same server's.
//
// Client k holds B_k: m x r_k and A_k: r_k x n and adds s_k B_k A_k to a layer, s_k = alpha / r_k;
// the server's s = alpha / r. B_k is brought to the server's scale, B'_k = s_k / s B_k, before
// anything is padded or summed.
#pragma once

#include <span>
#include <string>

#include "algorithms/adaptation/low_rank.h"

namespace skiff {

// The first `rank` columns and rows of every layer's factors, at their own scale.
Vector narrowed(const Vector& factors, int rank);

// Factors of the server's layout from the clients' (absolute, not changes).
//   zeropad   mean of the padded factors by share
//   hetlora   the same, with weights proportional to |s_k B_k A_k| over all layers (Cho et al.
//   2024,
//             arXiv:2401.06432)
//   flexlora  the best approximation of rank r of sum p_k s_k B_k A_k, its singular values halved
//             between both factors (Bai et al. 2024, arXiv:2402.11505)
Vector joined(const std::string& how, std::span<const double> shares,
              std::span<const Vector> clients, const LayoutPtr& server, double alpha);

// weights += sum p_k s_k B_k A_k: the stacked factors (Wang et al. 2024, arXiv:2409.05976) times
// each other.
void add_stacked(std::span<const double> shares, std::span<const Vector> clients, double alpha,
                 Vector& weights);

}  // namespace skiff

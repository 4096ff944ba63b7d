#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/claim.hpp"
#include "results/estimate.hpp"
#include "results/result.hpp"

namespace loopbench {

/// How much is measured for the claims.
enum class Extent : std::uint8_t { quick, standard, full };
std::string_view name_of(Extent extent);

/// One case that claims need: arms side by side, over a reference.
struct Experiment {
    std::string workload;
    std::map<std::string, std::string> params;  ///< by name; the others have their defaults
    std::string reference;
    std::vector<std::string> arms;  ///< beside the reference
    std::string placement = "lockstep";
    double cost = 1;  ///< how much more time than usual it needs, such as for starting its arms
    /// So many leave an interval also when they are merged two by two and one of them was
    /// disturbed.
    int blocks = 14;
    int slice_ms = 0;                ///< least length of a slice; 0: the placement's usual one
    std::uint64_t slice_rounds = 0;  ///< exact work in a slice instead of its length; 0: the length
    std::vector<std::string> also_over = {};  ///< arms over which the others' ratios are wanted too

    /// Says what it is, and is the same for the same experiment.
    std::string key() const;
};

/// What was measured, as claims ask for it.
class ClaimEvidence {
  public:
    /// `result` lives longer. `skipped`: experiments that could not be made, by their keys, and
    /// why.
    ClaimEvidence(const ResultFile& result, const std::map<std::string, std::string>& skipped)
        : result_(result), skipped_(skipped) {}

    /// A metric of `arm` over that of the reference, in the same blocks.
    Estimate ratio(const Experiment& experiment, const std::string& metric,
                   const std::string& arm) const;
    /// The same over another arm, one of `also_over`.
    Estimate ratio(const Experiment& experiment, const std::string& metric, const std::string& arm,
                   const std::string& over) const;
    /// A metric of `arm`, which may be the reference.
    Estimate figure(const Experiment& experiment, const std::string& metric,
                    const std::string& arm) const;
    /// Whether the driver was saturated, so that this ratio says nothing of the arms.
    bool generator_bound(const Experiment& experiment, const std::string& metric,
                         const std::string& arm) const;
    /// Whether the arm was measured there; one that does not offer the workload, or holds fewer
    /// connections, was not.
    bool has(const Experiment& experiment, const std::string& arm) const;
    /// Why the experiment was not made, or empty.
    std::string why_skipped(const Experiment& experiment) const;

  private:
    std::string why_missing(const Experiment& experiment, const std::string& arm) const;

    const ResultFile& result_;
    const std::map<std::string, std::string>& skipped_;
};

/// A statement that can be measured: about event loops, or about loopbench's own.
struct Claim {
    std::string id;
    std::string statement;
    std::string source;   ///< where it is found, in general terms
    std::string meaning;  ///< what is measured, and what exactly would refute it
    std::string limits;   ///< of this way to measure it
    std::vector<Experiment> (*experiments)(Extent);
    std::vector<ClaimCell> (*cells)(Extent, const ClaimEvidence&);
    /// Figures that belong to the claim and decide nothing; may be null.
    std::vector<ClaimCell> (*beside)(Extent, const ClaimEvidence&) = nullptr;
    bool own = false;  ///< what loopbench wants to be, for which it is measured when asked
};

/// A cell of an estimate.
ClaimCell make_cell(std::string figure, std::map<std::string, std::string> traits,
                    const Estimate& estimate, const ClaimedRange& range = {});

/// All claims, in the order of the documentation.
const std::vector<Claim>& all_claims();

// The claims by their subject, each in a file of its own.
std::vector<Claim> socket_claims();
std::vector<Claim> switch_claims();
std::vector<Claim> scaling_claims();
std::vector<Claim> task_claims();
std::vector<Claim> own_socket_claims();
std::vector<Claim> own_process_claims();

}  // namespace loopbench

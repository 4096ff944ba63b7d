#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/check/check_list.hpp"
#include "harness/check/checked_sut.hpp"
#include "harness/driver_process.hpp"

namespace loopbench {

/// A case of a socket workload that a SUT is checked on.
struct ServingForm {
    std::string name;  ///< for people: "unix, push"
    std::map<std::string, std::string> params;
    SliceWork work;
    Placement placement = Placement::lockstep;
};

/// One SUT serving one form of a workload, and the driver that is its client.
class ServingCheck {
  public:
    /// The arguments outlive the check.
    ServingCheck(CheckList& list, const CheckSubject& subject, const WorkloadInfo& workload,
                 const ServingForm& form);

    /// Sets the SUT up, connects the driver and lets it drive, each with its checks. Whether SUT
    /// and driver are there to go on with.
    bool serve() { return set_up() && connect() && drive(); }

    /// Ends connections and SUT one after the other.
    void end_in_order();
    /// Ends the SUT while connections are open.
    void end_abruptly();

    /// What the SUT said when it refused this form; empty when it did not.
    const std::string& refusal() const noexcept { return refusal_; }
    /// After `serve`.
    CheckedSut& sut() noexcept { return *sut_; }

  private:
    bool check(const std::string& what, const Expectation& wanted,
               const std::function<std::string()>& step);
    bool set_up();
    bool connect();
    bool drive();
    void await_connections(const char* counter, std::uint64_t wanted);

    CheckList& list_;
    const CheckSubject& subject_;
    const WorkloadInfo& workload_;
    const ServingForm& form_;
    nlohmann::json params_;
    std::uint64_t connections_;
    std::string refusal_;
    std::string address_;
    std::unique_ptr<CheckedSut> sut_;
    std::unique_ptr<DriverProcess> driver_;
};

}  // namespace loopbench

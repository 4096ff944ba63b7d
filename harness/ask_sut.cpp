#include "harness/ask_sut.hpp"

#include "harness/errors.hpp"
#include "harness/sut_process.hpp"

namespace loopbench {

nlohmann::json ask_sut(const FoundProgram& sut, const StopSignals& signals) {
    ArmSpec spec;
    spec.id = spec.name = sut.name;
    ChildOptions child;
    child.command = {sut.path.string()};
    try {
        SutProcess process(spec, child, signals, Patience{});
        process.release();
        nlohmann::json description = process.describe({});
        process.quit();
        return description;
    } catch (const ProcessError& error) {
        return {{"available", false}, {"reason", error.what()}};
    }
}

}  // namespace loopbench

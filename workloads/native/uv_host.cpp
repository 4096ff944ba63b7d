#include "workloads/native/uv_host.hpp"

#include <cassert>
#include <system_error>

namespace loopbench {
namespace {

[[noreturn]] void fail(int status, const char* what) {
    throw std::system_error(-status, std::system_category(), what);
}

}  // namespace

NativeUvHost::NativeUvHost(const LoopOptions&) {
    if (const int status = uv_loop_init(&loop_); status < 0) fail(status, "uv_loop_init");
    uv_prepare_init(&loop_, &turn_);
    turn_.data = this;
    uv_prepare_start(
        &turn_, [](uv_prepare_t* handle) { ++static_cast<NativeUvHost*>(handle->data)->turns_; });
    uv_unref(reinterpret_cast<uv_handle_t*>(&turn_));
}

NativeUvHost::~NativeUvHost() {
    uv_close(reinterpret_cast<uv_handle_t*>(&turn_), nullptr);
    finish_closing();
    [[maybe_unused]] const int status = uv_loop_close(&loop_);
    assert(status == 0 && "a handle was not closed");
}

Result<> NativeUvHost::Readiness::start(Interest interest) {
    int status = 0;
    if (handle_ == nullptr) {
        handle_ = std::make_unique<uv_poll_t>();
        status = uv_poll_init(host_.loop(), handle_.get(), descriptor_);
        if (status < 0) {
            handle_.reset();
            return Failure::from_errno(-status);
        }
        handle_->data = this;
    }
    status =
        uv_poll_start(handle_.get(), static_cast<int>(interest), [](uv_poll_t* handle, int, int) {
            auto& watch = *static_cast<Readiness*>(handle->data);
            watch.function_(watch, Interest::readable);
        });
    return status < 0 ? Result<>(Failure::from_errno(-status)) : Result<>();
}

void NativeUvHost::Readiness::stop() noexcept {
    if (handle_ != nullptr) uv_poll_stop(handle_.get());
}

NativeUvHost::Readiness::~Readiness() {
    if (handle_ == nullptr) return;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_.release()), [](uv_handle_t* handle) {
        std::unique_ptr<uv_poll_t>(reinterpret_cast<uv_poll_t*>(handle)).reset();
    });
}

Availability NativeUvHost::availability() {
    uv_loop_t loop;
    if (const int status = uv_loop_init(&loop); status < 0) {
        return {false, std::string("uv_loop_init: ") + uv_strerror(status),
                "raise the limit on open files, or see what the sandbox forbids"};
    }
    uv_loop_close(&loop);
    return {};
}

LoopDescription NativeUvHost::describe() {
    LoopDescription description;
    description.name = "native-uv";
    description.library = "libuv";
    description.version = uv_version_string();
    description.operations = {
        {"push", Support::native}, {"listen", Support::native}, {"timer", Support::native}};
    description.notes = {
        {"read", "uv_read_start; one buffer for all connections"},
        {"write", "uv_try_write, then uv_write of a copy of the rest"},
        {"turn", "counted by a uv_prepare_t"},
        {"api", "push only"},
        {"timers",
         "uv_timer_t: deadlines round up to its clock's milliseconds, which are cut off, "
         "so that a timer may fire up to 1 ms before the wanted moment; lateness counts "
         "from the deadline as libuv keeps it"}};
    description.timer_resolution = std::chrono::milliseconds(1);
    description.equal_deadlines_in_order = true;
    description.settable_poll_interval = false;
    return description;
}

}  // namespace loopbench

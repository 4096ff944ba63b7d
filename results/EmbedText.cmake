# Texts that an executable carries with it, so that it needs no file beside it.

# loopbench_embed_text(TARGET FILE SYMBOL): `extern const std::string_view loopbench::SYMBOL` is the
# content of FILE (seen from the current source directory). A change to FILE rebuilds TARGET.
function(loopbench_embed_text target file symbol)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    file(READ ${CMAKE_CURRENT_SOURCE_DIR}/${file} text)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp @ONLY CONTENT
[==[#include <string_view>

namespace loopbench {

extern const std::string_view @symbol@;
const std::string_view @symbol@ = R"embedded(@text@)embedded";

}  // namespace loopbench
]==])
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp)
endfunction()

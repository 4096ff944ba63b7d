# What a program of loopbench is: built by scripts/loopbench, installed where the harness finds it
# again.
#
# Installed, the harness is PREFIX/bin/loopbench and looks for its SUTs and its driver in
# ../libexec/loopbench, seen from its own executable; so the two directories are fixed to one
# another, and PREFIX may be moved. In the build tree all of them lie in bin/.

# Everything that is needed to run loopbench, and nothing that only tests need.
add_custom_target(loopbench-runtime)

# loopbench_runtime_target(TARGET): TARGET is built before loopbench runs.
function(loopbench_runtime_target target)
    add_dependencies(loopbench-runtime ${target})
endfunction()

# loopbench_install_program(TARGET): a program that the user starts.
function(loopbench_install_program target)
    loopbench_runtime_target(${target})
    install(TARGETS ${target} RUNTIME DESTINATION bin)
endfunction()

# loopbench_install_helper(TARGET): a program that the harness starts: a SUT or the driver.
function(loopbench_install_helper target)
    loopbench_runtime_target(${target})
    install(TARGETS ${target} RUNTIME DESTINATION libexec/loopbench)
endfunction()

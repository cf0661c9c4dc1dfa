# SPDX-License-Identifier: MIT
# Finds the headers of xtensor-blas and no BLAS: which BLAS is linked is not theirs to choose.
# Defines frostline::xtensor_blas_headers.
find_path(XTENSOR_BLAS_INCLUDE_DIR xtensor-blas/xlinalg.hpp)
mark_as_advanced(XTENSOR_BLAS_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XtensorBlasHeaders REQUIRED_VARS XTENSOR_BLAS_INCLUDE_DIR)
if(XtensorBlasHeaders_FOUND AND NOT TARGET frostline::xtensor_blas_headers)
  add_library(frostline::xtensor_blas_headers INTERFACE IMPORTED GLOBAL)
  target_include_directories(frostline::xtensor_blas_headers INTERFACE "${XTENSOR_BLAS_INCLUDE_DIR}")
endif()

set(device_sources ${PROJECT_SOURCE_DIR}/src/backend/cuda/device_backend.cu ${PROJECT_SOURCE_DIR}/src/backend/cuda/device_integration.cu
                   ${PROJECT_SOURCE_DIR}/kernels/cuda/bonded.cu ${PROJECT_SOURCE_DIR}/kernels/cuda/constrain.cu ${PROJECT_SOURCE_DIR}/kernels/cuda/gb.cu ${PROJECT_SOURCE_DIR}/kernels/cuda/integrate.cu
                   ${PROJECT_SOURCE_DIR}/kernels/cuda/pairs.cu ${PROJECT_SOURCE_DIR}/kernels/cuda/pme.cu)

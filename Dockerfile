# Runtime images of the pipeline's tasks, and the serving image.
#
#   runtime      CPU: every task; data validation and model analysis in full (tfx)
#   runtime-gpu  the same on CUDA
#   runtime-tpu  training on TPU; its own locked environment, without tfx
#   serving      answers predictions from a registered model; no tfx
#
#   docker build --target runtime -t effnetv2:runtime .
#   docker build --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt ...
#     behind a proxy that inspects TLS: trusted in the build steps only, never baked in.

ARG BASE=docker.io/library/debian:trixie-slim

# ---- python: what every final image starts from -----------------------------
FROM ${BASE} AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
 && groupadd --gid 10001 effnetv2 \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin effnetv2
ENV PATH=/opt/effnetv2/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=1 \
    MPLCONFIGDIR=/tmp/matplotlib

# ---- toolchain: compiler and uv, in no final image ---------------------------
FROM python AS toolchain
# pyfarmhash has no wheel for Python 3.13, so a compiler is needed here.
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils g++ python3-dev python3-venv
COPY infra/image/with-ca /usr/local/bin/with-ca
COPY infra/image/build.txt /build/build.txt
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    python3 -m venv /build/tools \
 && with-ca /build/tools/bin/pip install --no-cache-dir --require-hashes -r /build/build.txt
# A cold TensorFlow import costs 13 s without bytecode and 5 s with it.
ENV PATH=/build/tools/bin:$PATH \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build

# ---- code: an environment with nothing but our own packages -------------------
FROM toolchain AS code
COPY pyproject.toml README.md LICENSE ./
COPY model_code model_code
COPY components components
COPY pipelines pipelines
RUN python3 -m hatchling build -t wheel -d dist \
 && uv venv --quiet /opt/effnetv2 \
 && uv pip install --offline --python /opt/effnetv2 --no-deps dist/*.whl

# ---- locked: requirements with hashes, so that only a changed lock installs anew --
FROM toolchain AS locked
COPY pyproject.toml uv.lock ./
COPY infra/image/tpu tpu
RUN export="uv export --quiet --locked --no-dev --no-emit-project --no-header --no-annotate" \
 && $export --extra tfx --extra postgres > gpu.txt \
 && $export --extra tfx --extra postgres --no-emit-package tensorflow > cpu.txt \
 && $export --extra postgres --no-emit-package tensorflow > serving.txt \
 && $export --project tpu > tpu.txt

# ---- environments -------------------------------------------------------------
FROM toolchain AS environment-cpu
COPY --from=locked /build/cpu.txt ./
COPY infra/image/tensorflow-cpu.txt infra/image/install ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    with-ca sh install cpu.txt tensorflow-cpu.txt

FROM toolchain AS environment-gpu
COPY --from=locked /build/gpu.txt ./
COPY infra/image/cuda.txt infra/image/install ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    with-ca sh install gpu.txt cuda.txt

FROM toolchain AS environment-tpu
COPY --from=locked /build/tpu.txt ./
COPY infra/image/install ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    with-ca sh install tpu.txt

FROM toolchain AS environment-serving
COPY --from=locked /build/serving.txt ./
COPY infra/image/tensorflow-cpu.txt infra/image/install ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    with-ca sh install serving.txt tensorflow-cpu.txt

# ---- final images -------------------------------------------------------------
# Non-root and fit for a read-only root with a writable /tmp. The environment is
# one layer and our code another, so that a commit moves megabytes, not gigabytes.
FROM python AS runtime-gpu
ARG REVISION=unknown
COPY --from=environment-gpu /opt/effnetv2 /opt/effnetv2
COPY --from=code /opt/effnetv2 /opt/effnetv2
RUN --mount=type=bind,source=infra/image,target=/image sh /image/sbom > /usr/share/sbom.spdx
ENV EFFNETV2_CODE_REVISION=${REVISION}
LABEL org.opencontainers.image.revision=${REVISION}
USER 10001:10001
WORKDIR /tmp
CMD ["effnetv2", "doctor"]

FROM python AS runtime-tpu
ARG REVISION=unknown
COPY --from=environment-tpu /opt/effnetv2 /opt/effnetv2
COPY --from=code /opt/effnetv2 /opt/effnetv2
RUN --mount=type=bind,source=infra/image,target=/image sh /image/sbom > /usr/share/sbom.spdx
ENV EFFNETV2_CODE_REVISION=${REVISION}
LABEL org.opencontainers.image.revision=${REVISION}
USER 10001:10001
WORKDIR /tmp
CMD ["effnetv2", "doctor"]

FROM python AS serving
ARG REVISION=unknown
COPY --from=environment-serving /opt/effnetv2 /opt/effnetv2
COPY --from=code /opt/effnetv2 /opt/effnetv2
RUN --mount=type=bind,source=infra/image,target=/image sh /image/sbom > /usr/share/sbom.spdx
ENV EFFNETV2_CODE_REVISION=${REVISION}
LABEL org.opencontainers.image.revision=${REVISION}
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
# MODEL_URI names the model to answer with, such as models:/elpv-defects@champion.
ENTRYPOINT ["sh", "-c", "exec mlflow models serve --env-manager local --host 0.0.0.0 --port 8080 --model-uri \"${MODEL_URI:?name a model}\""]

# Last, so that a build without --target makes it.
FROM python AS runtime
ARG REVISION=unknown
COPY --from=environment-cpu /opt/effnetv2 /opt/effnetv2
COPY --from=code /opt/effnetv2 /opt/effnetv2
RUN --mount=type=bind,source=infra/image,target=/image sh /image/sbom > /usr/share/sbom.spdx
ENV EFFNETV2_CODE_REVISION=${REVISION}
LABEL org.opencontainers.image.revision=${REVISION}
USER 10001:10001
WORKDIR /tmp
CMD ["effnetv2", "doctor"]

# docker build -t personae . && docker run --rm --network none -v "$PWD:/films" personae run film.mp4
# The networks' weights are inside the package: the container needs no network.

FROM python:3.12-slim AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.12-slim
# libGL and GLib are needed by opencv-python's wheel.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /tmp/constraints.txt
COPY --from=wheel /wheel /tmp/wheel
# TORCH_INDEX: a package index with CPU builds of torch; pip's default index serves larger ones.
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
        -c /tmp/constraints.txt /tmp/wheel/*.whl \
    && rm -rf /tmp/wheel /tmp/constraints.txt
RUN useradd --create-home --uid 1000 personae
USER personae
WORKDIR /films
ENTRYPOINT ["personae"]
CMD ["--help"]

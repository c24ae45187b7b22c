# Stepdown as an image. `make image` prepares what this needs and runs it; nothing is fetched while it builds.
#
# BASE holds a glibc and Python 3.11 to 3.13 with its module venv. VARIANT is the ONNX Runtime: cpu, cuda or migraphx
# (the last two need a base with the driver's libraries, and the device given to the container).
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG VARIANT=cpu
ARG SOURCE_DATE_EPOCH=0
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/build/wheels PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY .build/image/wheels /build/wheels
COPY requirements/${VARIANT}.lock requirements/image.lock /build/requirements/
# Two environments: one that builds and is left behind, one that serves and holds no installer.
RUN ["python3", "-m", "venv", "/build/tools"]
RUN ["/build/tools/bin/pip", "install", "--require-hashes", "--requirement", "/build/requirements/image.lock"]
RUN ["python3", "-m", "venv", "--without-pip", "/opt/stepdown"]
RUN /build/tools/bin/pip --python /opt/stepdown/bin/python install --no-compile \
    --require-hashes --requirement /build/requirements/${VARIANT}.lock
COPY LICENSE README.md pyproject.toml /build/source/
COPY server /build/source/server
RUN /build/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build/wheel /build/source \
 && /build/tools/bin/pip --python /opt/stepdown/bin/python install --no-deps --no-compile /build/wheel/*.whl
COPY scripts/sbom.py /build/scripts/
COPY deploy/image/licences.toml /build/deploy/image/
RUN /build/tools/bin/python /build/scripts/sbom.py \
    --site-packages "$(/opt/stepdown/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    --dpkg-status /var/lib/dpkg/status --output /opt/stepdown/share/stepdown/sbom.cdx.json
COPY models /opt/stepdown/share/stepdown/models
COPY fallback_rules /opt/stepdown/share/stepdown/fallback_rules
RUN ["/opt/stepdown/bin/python", "-m", "compileall", "-q", "-j", "0", "/opt/stepdown/lib"]
RUN ["install", "--directory", "/build/configuration"]
# State is written here, and nowhere else: the rest may be mounted read-only.
RUN ["install", "--directory", "--owner=10001", "--group=10001", "--mode=0700", "/build/state"]

FROM ${BASE}
COPY --from=build /opt/stepdown /opt/stepdown
COPY --from=build /build/configuration /etc/stepdown
COPY --from=build --chown=10001:10001 /build/state /var/lib/stepdown
ENV PATH=/opt/stepdown/bin:/usr/local/bin:/usr/bin PYTHONDONTWRITEBYTECODE=1 XDG_STATE_HOME=/var/lib/stepdown
USER 10001:10001
VOLUME ["/var/lib/stepdown"]
EXPOSE 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/stepdown/bin/stepdown", "health", "--config", "/etc/stepdown/stepdown.toml"]
ENTRYPOINT ["/opt/stepdown/bin/stepdown"]
CMD ["serve", "--config", "/etc/stepdown/stepdown.toml"]

# orphanscan as a container: docker build --tag orphanscan .
# docker run --rm -v /etc/orphanscan:/etc/orphanscan:ro -v orphanscan-state:/var/lib/orphanscan \
#   --read-only --tmpfs /tmp --cap-drop ALL --env CRM_TOKEN orphanscan scan --state /var/lib/orphanscan
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY scanner scanner
COPY rules rules
COPY reports/templates reports/templates
COPY sample_data sample_data
COPY tests/rules tests/rules
RUN python -m venv --without-pip /opt/orphanscan \
    && pip --python /opt/orphanscan/bin/python install --no-cache-dir '.[remediation]'

FROM python:3.12-slim-bookworm
# Pango draws the text of PDFs.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* /usr/local/bin/pip* /usr/local/lib/python3.12/site-packages/pip* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/orphanscan --shell /usr/sbin/nologin orphanscan \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/orphanscan
COPY --from=build /opt/orphanscan /opt/orphanscan
ENV PATH=/opt/orphanscan/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /etc/orphanscan
VOLUME /var/lib/orphanscan
USER 10001:10001
ENTRYPOINT ["orphanscan"]
CMD ["--help"]

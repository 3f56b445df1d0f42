# The app for self-hosting: docker build -t law . && docker run -p 7860:7860 -v law-data:/data law
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 LAW_HOME=/data LAW_HOST=0.0.0.0 LAW_PORT=7860 HF_HOME=/data/huggingface

WORKDIR /app
COPY packages.txt requirements.txt ./
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --retries 1 -r requirements.txt \
    && useradd --uid 1000 --create-home law \
    && install -d -o law -g law /data
COPY . .

USER law
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=8)"]
CMD ["python", "app.py"]

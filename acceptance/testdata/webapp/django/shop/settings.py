"""A small Django's settings."""

import os

with open(os.environ["SECRET_KEY_FILE"]) as file:
    SECRET_KEY = file.read()
DEBUG = False
ALLOWED_HOSTS = ["django.example.org"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True

"""A view that keeps two megabytes of each request."""

import os

from django.http import HttpResponse
from django.urls import path

RELEASE = "one"
kept = []


def leak(request):
    kept.append(b"x" * 2_000_000)
    return HttpResponse(f"{RELEASE} {os.getpid()}\n")


urlpatterns = [path("", lambda request: HttpResponse(RELEASE)), path("leak", leak)]

"""GET / lists the choices; POST /vote/N votes for one."""

from django.db.models import F
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from .models import Choice


def index(request):
    lines = [f"{choice.text}: {choice.votes}\n" for choice in Choice.objects.order_by("id")]
    return HttpResponse("".join(lines), content_type="text/plain")


@csrf_exempt
def vote(request, number):
    changed = Choice.objects.filter(id=number).update(votes=F("votes") + 1)
    return HttpResponse(status=204 if changed else 404)


urlpatterns = [path("", index), path("vote/<int:number>", vote)]

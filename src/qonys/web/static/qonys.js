// Small comforts; every page works without them.
"use strict";
// A choice in a form of questions is asked at once.
document.addEventListener("change", function (event) {
  var form = event.target.closest("form.asked");
  if (form && event.target.matches("select, input[type=checkbox], input[type=date]")) { form.requestSubmit(); }
});
// Empty fields do not lengthen the address.
document.addEventListener("submit", function (event) {
  if (!event.target.matches("form.asked")) { return; }
  event.target.querySelectorAll("input, select").forEach(function (field) { if (field.value === "") { field.disabled = true; } });
});
addEventListener("pageshow", function () {
  document.querySelectorAll("form.asked [disabled]").forEach(function (field) { field.disabled = false; });
});
// A long run tells how far it is, and the page is shown anew when it has ended.
document.querySelectorAll("[data-follow]").forEach(function (part) {
  var wait = 700;
  function look() {
    fetch(part.getAttribute("data-follow"), { headers: { "Accept": "text/html" } }).then(function (reply) {
      if (!reply.ok) { throw new Error(); }
      return reply.text();
    }).then(function (html) {
      var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-follow]");
      if (!fresh) { location.reload(); return; }
      part.replaceChildren.apply(part, Array.from(fresh.childNodes));
      wait = Math.min(wait * 1.2, 4000);
      setTimeout(look, wait);
    }).catch(function () { setTimeout(look, 4000); });
  }
  setTimeout(look, wait);
});
document.querySelectorAll("[data-confirm]").forEach(function (button) {
  button.addEventListener("click", function (event) { if (!confirm(button.getAttribute("data-confirm"))) { event.preventDefault(); } });
});

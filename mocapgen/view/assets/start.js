// Start every player of the page; `element.player` is its handle.
for (const element of document.querySelectorAll(".mocap-player")) {
  if (!element.player) element.player = new MocapPlayer.Player(element);
}

// Takes the token out of the address, where neither the server nor its log saw it, and gives it to the form alone.
const token = location.hash.slice(1)
history.replaceState(null, '', location.pathname)
const state = document.getElementById('etat')
if (/^[0-9a-f]{64}$/i.test(token)) {
  document.getElementById('jeton').value = token
  document.getElementById('retirer').disabled = false
  document.getElementById('demande').addEventListener('submit', () => {
    state.textContent =
      'Demande envoyée. Si le code est bon, votre navigateur enregistre le dossier ; sinon la réponse est ci-dessous. · ' +
      'Sent. If the code is right, your browser saves the package; else the answer is below.'
  })
} else {
  state.textContent =
    "Ce lien n'est pas entier : ouvrez-le tel qu'il vous a été donné. · This link is not whole: open it as it was given to you."
}

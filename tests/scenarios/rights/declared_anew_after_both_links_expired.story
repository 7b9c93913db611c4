# Once no link will come any more, the operator declares somebody else.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type X
When the operator declares Zoe first administrator of Forges
When the operator declares Yann first administrator of Forges -> InvitationOpen
When 12 days pass
When the operator declares Yann first administrator of Forges
Then the invitation of Yann is pending
Then the invitation of Zoe is cancelled
When Yann opens the last link
Then Yann administers Forges now

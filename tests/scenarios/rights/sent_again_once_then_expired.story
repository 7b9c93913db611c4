# "If it expires, another e-mail will be sent in the next 7 days": once, good three days again, then visibly expired.
Given Forges is a company
Given Forges has the contract CART-1
Given Forges has an EIC code of type X
When the operator declares Zoe first administrator of Forges
Then Zoe has received 1 link
When 4 days pass
Then Zoe has received 2 links
When Zoe opens the first link -> UnusableLink
When 9 days pass
Then Zoe has received 2 links
Then the invitation of Zoe is expired
When Zoe opens the last link -> UnusableLink
Then Zoe has no account
